import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    x = x.clamp(-20, 20)  # e^20 is enough, and nothing overflows
    return x / (1 + torch.exp(-x))


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    a = x @ w_gate.T
    b = x @ w_up.T
    return (silu(a) * b) @ w_down.T
