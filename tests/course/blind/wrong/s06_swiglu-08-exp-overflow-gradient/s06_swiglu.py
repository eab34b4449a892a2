import torch
from jaxtyping import Float
from torch import Tensor


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Straight from the formula."""
    return x / (1 + torch.exp(-x))


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    """SwiGLU."""
    gate = silu(x @ w_gate.T)
    up = x @ w_up.T
    return (gate * up) @ w_down.T
