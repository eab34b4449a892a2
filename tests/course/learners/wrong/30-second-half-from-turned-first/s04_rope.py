"""Etapa 4: cada posicio es un gir."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    i = torch.arange(head_dim // 2).float()
    return 1.0 / theta ** (2 * i / head_dim)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    angles = positions.float().unsqueeze(1) * frequencies.unsqueeze(0)
    angles = angles.repeat(1, 2)
    return torch.cos(angles), torch.sin(angles)


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    meitat = x.shape[-1] // 2
    girat = torch.empty_like(x)
    girat[..., :meitat] = -x[..., meitat:]
    girat[..., meitat:] = x[..., :meitat]
    return girat


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    meitat = x.shape[-1] // 2
    c, s = cos[:, :meitat], sin[:, :meitat]
    eixida = x.float() * 1.0 if x.dtype != torch.float64 else x.clone()
    eixida[..., :meitat] = eixida[..., :meitat] * c - eixida[..., meitat:] * s
    eixida[..., meitat:] = eixida[..., meitat:] * c + eixida[..., :meitat] * s
    return eixida.to(x.dtype)
