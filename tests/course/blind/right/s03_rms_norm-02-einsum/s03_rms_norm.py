from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

dot = partial(torch.einsum, "...d,...d->...")


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    wide = x.float()
    inverse = torch.pow(dot(wide, wide) / wide.shape[-1] + eps, -0.5)
    return torch.einsum("...d,...,d->...d", wide, inverse, weight.float()).to(x.dtype)
