import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    residual = x
    h = silu(x @ w_gate.T) * (x @ w_up.T)
    return residual + h @ w_down.T
