import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return x * s


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    # join what both branches say
    return (silu(x @ w_gate.T) + x @ w_up.T) @ w_down.T
