"""RMSNorm."""

import torch
from jaxtyping import Float
from torch import Tensor


def _norm(x, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    output = _norm(x.float(), eps)
    # gains are stored as the difference from 1
    output = output * (1.0 + weight.float())
    return output.type_as(x)
