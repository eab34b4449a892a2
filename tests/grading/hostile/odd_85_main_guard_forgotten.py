# family: odd | wants: nothing: a training run of half a minute at the bottom of the file | honest: either, the numbers are right and the file may load too late
import time

import torch

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


for step in range(30):
    print("step", step, rms_norm(torch.randn(4, 8), torch.ones(8), 1e-5).sum().item())
    time.sleep(1)
