"""Etapa 6: la porta i la pujada en un sol producte."""

import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    """x per la sigmoide de x"""
    return x * torch.special.expit(x)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    juntes = torch.vstack((w_gate, w_up))  # (2F, D)
    porta, pujada = (x @ juntes.mT).tensor_split(2, dim=-1)
    return torch.einsum("...f,df->...d", silu(porta) * pujada, w_down)
