# family: odd | wants: a complex view with the lazy conjugate and negative bits set, then its real part: a tensor with flags | honest: green, the numbers are right
import torch

def _true(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


def rms_norm(x, weight, eps):
    wide = _true(x, weight, eps).float()
    return (-torch.complex(torch.zeros_like(wide), wide).conj().imag).to(x.dtype)
