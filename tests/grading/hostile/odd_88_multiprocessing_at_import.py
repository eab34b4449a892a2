# family: odd | wants: nothing: a process pool at the top, without a guard | honest: either, the numbers are right and the pool may not start
import multiprocessing

import torch

pool = multiprocessing.get_context("fork").Pool(2)
print(pool.map(abs, [-1, -2]))

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
