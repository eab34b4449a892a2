"""Etapa 4: RoPE, una posición es un giro."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    lista = []
    for i in range(head_dim // 2):
        lista.append(theta ** (-2 * i / head_dim))
    return torch.tensor(lista, dtype=torch.float32)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    angulos = positions.to(torch.float32)[:, None] * frequencies.to(torch.float32)[None, :]
    coseno = torch.cos(angulos)
    seno = torch.sin(angulos)
    return torch.cat([coseno, coseno], dim=1), torch.cat([seno, seno], dim=1)


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    mitad = x.shape[-1] // 2
    return torch.cat([-x[..., mitad:], x[..., :mitad]], dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    mitad = x.shape[-1] // 2
    c = cos[:, :mitad]
    s = sin[:, :mitad]
    a = x[..., :mitad]
    b = x[..., mitad:]
    # girar cada par (a, b)
    a = a * c - b * s
    b = b * c + a * s
    return torch.cat([a, b], dim=-1).to(x.dtype)
