# family: odd | wants: nothing: the marks of a merge are left | honest: red, the file cannot be read as Python
<<<<<<< HEAD
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
=======
>>>>>>> mine
