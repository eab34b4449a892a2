"""Stage 3: the root as the hypotenuse of the vector's length and of the root of eps."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    wide = x.to(torch.float32)
    length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    rms = torch.hypot(length / math.sqrt(x.shape[-1]), length.new_tensor(math.sqrt(eps)))
    return (wide * (weight.to(torch.float32) / rms)).to(x.dtype)
