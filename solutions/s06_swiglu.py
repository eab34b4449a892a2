"""Stage 6 · SwiGLU: a gated MLP."""

import torch
from jaxtyping import Float
from torch import Tensor


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """x · σ(x), number by number.

    x:       any numbers, any shape
    returns: x / (1 + e^(−x)), at the shape and dtype of x
    """
    return x * torch.sigmoid(x)


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    """The MLP of a Llama layer.

    x:       the normalised residual stream
    w_gate:  decides how far each of the F neurons opens
    w_up:    what each neuron carries
    w_down:  what each neuron writes back
    returns: (SiLU(x W_gateᵀ) ⊙ x W_upᵀ) W_downᵀ
    """
    return (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT
