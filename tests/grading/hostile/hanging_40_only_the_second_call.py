# family: hanging | wants: the first call is right, the second never ends | honest: red, no answer came in time
import torch

calls = []

def _true(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


def rms_norm(x, weight, eps):
    calls.append(1)
    while len(calls) > 1:
        pass
    return _true(x, weight, eps)
