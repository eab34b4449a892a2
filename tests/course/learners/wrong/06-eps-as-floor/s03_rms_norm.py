"""Etapa 3: RMSNorm."""

from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    tipo = x.dtype
    x32 = x.float()
    media_cuadrados = (x32 * x32).sum(dim=-1, keepdim=True) / x32.shape[-1]
    # eps evita dividir por cero
    media_cuadrados = media_cuadrados.clamp(min=eps)
    raiz = media_cuadrados.sqrt()
    salida = weight.float() * (x32 / raiz)
    return salida.to(tipo)
