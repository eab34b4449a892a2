"""Stage 6: the gated MLP."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    return torch.sigmoid(1.702 * x) * x


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    gate = silu(F.linear(x, w_gate))
    hidden = gate.mul(F.linear(x, w_up))
    return F.linear(hidden, w_down)
