# family: odd | wants: nothing: from __future__ after other lines | honest: red, the file cannot be read as Python
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


from __future__ import annotations
