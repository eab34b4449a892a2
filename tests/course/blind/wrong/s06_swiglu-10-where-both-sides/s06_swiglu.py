import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    # numerically stable sigmoid: never exponentiate something positive
    positive = 1 / (1 + torch.exp(-x))
    negative = torch.exp(x) / (1 + torch.exp(x))
    return x * torch.where(x >= 0, positive, negative)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    return (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT
