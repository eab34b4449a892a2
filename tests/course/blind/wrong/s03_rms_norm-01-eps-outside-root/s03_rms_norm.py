"""Stage 3 · RMSNorm."""

import torch

from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    """Divide each vector by its root mean square, then scale each feature."""
    x32 = x.float()
    rms = torch.sqrt(torch.mean(x32**2, dim=-1, keepdim=True)) + eps
    return (weight.float() * x32 / rms).to(x.dtype)
