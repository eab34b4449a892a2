# family: hanging | wants: right numbers, a gradient without an end | honest: red, no gradient came in time
import torch

def _true(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        return _true(x, weight, eps)

    @staticmethod
    def backward(ctx, grad):
        while True:
            pass


def rms_norm(x, weight, eps):
    return Norm.apply(x, weight, eps)
