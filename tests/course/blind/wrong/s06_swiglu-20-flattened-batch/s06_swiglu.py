import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    tokens = x.reshape(-1, x.shape[-1])  # (N, D)
    gate = torch.mm(tokens, w_gate.T)
    up = torch.mm(tokens, w_up.T)
    return torch.mm(silu(gate) * up, w_down.T)
