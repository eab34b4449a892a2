"""Stage 3: RMSNorm."""

import torch
from jaxtyping import Float
from torch import Tensor


class _Norm:
    def __init__(self, gain, eps):
        self.gain = gain
        self.eps = eps

    def normalise(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def __call__(self, x):
        out = self.normalise(x.float())
        # the gain is learned as a difference from 1
        out = out * (1.0 + self.gain.float())
        return out.type_as(x)


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    return _Norm(weight, eps)(x)
