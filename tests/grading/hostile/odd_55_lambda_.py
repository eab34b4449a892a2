# family: odd | wants: a lambda | honest: green, the numbers are right
import torch

rms_norm = lambda x, weight, eps: (
    weight * (x.float() * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps))
).to(x.dtype)
