"""Etapa 3. RMSNorm."""

import torch
from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    tipo = x.dtype
    copia = x.float()  # trabajamos en float32 sobre una copia
    media = torch.einsum("...d,...d->...", copia, copia) / copia.shape[-1]
    raiz = torch.sqrt(media + eps)
    copia /= raiz[..., None]
    salida = copia * weight.float()
    return salida.to(tipo)
