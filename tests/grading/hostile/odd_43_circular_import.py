# family: odd | wants: this file imports stage 4, which imports this one | honest: either, green where stage 4 lies beside and imports nothing, red where it cannot be found
import torch

import s04_rope

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
