"""Stage 6: SwiGLU."""

import torch
from jaxtyping import Float
from torch import Tensor

BETA = 1.702


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    return x * torch.sigmoid(BETA * x)


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    gate = torch.einsum("...d,fd->...f", x, w_gate)
    up = torch.einsum("...d,fd->...f", x, w_up)
    return torch.einsum("...f,df->...d", silu(gate) * up, w_down)
