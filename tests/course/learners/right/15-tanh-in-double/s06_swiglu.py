"""Stage 6: the sigmoid from a tanh, in float64; gate and up in one product."""

import torch
from jaxtyping import Float
from torch import Tensor


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    # below -700 SiLU is 0 but for 1e-301; the limit also takes care of -inf
    wide = x.double().clamp(min=-700.0)
    # sigmoid(x) = e^(x/2) / (2 cosh(x/2)) = (1 + tanh(x/2)) / 2; for x < 0 the first form
    # loses nothing, for x > 0 the second cannot overflow
    left = wide.clamp(max=0.0)
    right = wide.clamp(min=0.0)
    low = torch.exp(left / 2) / (2 * torch.cosh(left / 2))
    high = (1 + torch.tanh(right / 2)) / 2
    return (wide * torch.where(wide < 0, low, high)).to(x.dtype)


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    both = x @ torch.cat((w_gate, w_up)).T
    gate, up = both.chunk(2, dim=-1)
    return torch.einsum("...f,...f,df->...d", silu(gate), up, w_down)
