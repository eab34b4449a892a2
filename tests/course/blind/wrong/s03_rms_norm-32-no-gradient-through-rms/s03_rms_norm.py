import torch

from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def _rms(x, eps):
    return torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    y = x.float()
    return (weight.float() * y / _rms(y, eps)).to(x.dtype)
