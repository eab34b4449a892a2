"""Etapa 6: dos casos para la potencia de e; las neuronas, de siete en siete."""

import torch
from jaxtyping import Float
from torch import Tensor


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    ancho = x.to(torch.promote_types(x.dtype, torch.float32))
    ancho = ancho.clamp(min=torch.finfo(ancho.dtype).min)  # -inf por 0 no es un numero
    positivo = ancho >= 0
    e = torch.exp(torch.where(positivo, -ancho, ancho))  # nunca mas de 1
    sigma = torch.where(positivo, torch.ones_like(e), e) / (1 + e)
    return (ancho * sigma).to(x.dtype)


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    ancho = torch.promote_types(x.dtype, torch.float32)
    salida = torch.zeros_like(x, dtype=ancho)
    grupos = zip(w_gate.split(7, dim=0), w_up.split(7, dim=0), w_down.split(7, dim=1))
    for puerta, subida, bajada in grupos:
        neuronas = silu(x @ puerta.T) * (x @ subida.T)
        salida = salida + neuronas.to(ancho) @ bajada.T.to(ancho)
    return salida.to(x.dtype)
