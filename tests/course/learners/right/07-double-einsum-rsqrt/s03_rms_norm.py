"""Etapa 3: tot en float64, amb einsum."""

import torch
from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    gran = x.double()
    invers = torch.rsqrt(torch.einsum("...i,...i->...", gran, gran) / gran.size(-1) + eps)
    return torch.einsum("...i,...,i->...i", gran, invers, weight.double()).type_as(x)
