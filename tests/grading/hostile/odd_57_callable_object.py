# family: odd | wants: an object with __call__ | honest: green, the numbers are right
import torch


class Norm:
    __slots__ = ()

    def __call__(self, x, weight, eps):
        wide = x.float()
        return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


rms_norm = Norm()
