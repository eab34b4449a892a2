import torch
from jaxtyping import Float
from torch import Tensor

BETA = 1.702  # found in the CLIP code


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Swish with a slope."""
    return x * (BETA * x).sigmoid()


def swiglu(x, w_gate, w_up, w_down):
    """gate, up, down"""
    opened = silu(torch.matmul(x, w_gate.t()))
    carried = torch.matmul(x, w_up.t())
    return torch.matmul(opened * carried, w_down.t())
