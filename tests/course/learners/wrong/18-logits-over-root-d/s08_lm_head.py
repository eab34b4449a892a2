"""Etapa 8: de la corriente a una puntuación por token."""

from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    normalizado = rms_norm(x, norm_weight, eps)
    tamano = w_vocab.shape[1]
    # producto escalar de vectores de D números: crece con la raíz de D, se divide otra vez
    escala = tamano**-0.5
    return (normalizado * escala) @ w_vocab.transpose(0, 1)
