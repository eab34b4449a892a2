# family: odd | wants: nothing: %matplotlib inline at the top | honest: red, the file cannot be read as Python
%matplotlib inline
!pip list
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
