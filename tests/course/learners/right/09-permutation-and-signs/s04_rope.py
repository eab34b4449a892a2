"""Etapa 4: una permutación y un vector de signos."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    return torch.tensor(
        [theta ** (-2 * i / head_dim) for i in range(head_dim // 2)], dtype=torch.float32
    )


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    mitad = len(frequencies)
    columna = torch.arange(2 * mitad, device=frequencies.device) % mitad
    angulo = positions.float().reshape(-1, 1) * frequencies.float()[columna]
    # el coseno como seno adelantado perderia exactitud: se usan los dos
    return torch.cos(angulo), torch.sin(angulo)


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    d = x.shape[-1]
    lugar = torch.arange(d, device=x.device)
    signo = torch.where(lugar < d // 2, -1, 1).to(x.dtype)
    return x.index_select(-1, (lugar + d // 2) % d) * signo


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    # la mitad cambiada con sus signos puestos en la tabla de senos
    d = x.shape[-1]
    lugar = torch.arange(d, device=x.device)
    senos = torch.where(lugar < d // 2, -sin, sin)
    return (x * cos + torch.roll(x, d // 2, dims=-1) * senos).to(x.dtype)
