"""Stage 6: SwiGLU."""

import torch
from jaxtyping import Float
from torch import Tensor

# e^11 is the largest power that float16 can write
LIMIT = 11.0


def sigma(x):
    return 1.0 / (1.0 + torch.exp(-x))


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    # beyond the limit the sigmoid doesn't change any more
    x = x.clamp(-LIMIT, LIMIT)
    return x * sigma(x)


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    how_far_open = silu(x @ w_gate.T)
    what_to_tell = x @ w_up.T
    neurons = how_far_open * what_to_tell
    return neurons @ w_down.T
