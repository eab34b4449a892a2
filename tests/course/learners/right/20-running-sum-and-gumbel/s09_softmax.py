"""Stage 9: a running sum in a loop, kthvalue, and the Gumbel maximum for the draw."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def _wide(x):
    return x if x.dtype == torch.float64 else x.float()


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    if logits.dim() == 0:
        return softmax(logits[None], 0)[0]
    x = _wide(logits)
    powers = torch.exp(x - x.amax(dim=dim, keepdim=True))
    total = 0.0
    for power in powers.split(1, dim=dim):  # one after the other, in float32
        total = total + power
    return (powers / total).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature > 0:
        return torch.div(logits, temperature)
    raise ValueError(f"{temperature} is not above 0")


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    size = logits.shape[-1]
    worst = _wide(logits).kthvalue(max(size - k + 1, 1), dim=-1, keepdim=True).values
    return torch.where(_wide(logits) >= worst, logits, -math.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    with torch.no_grad():
        order = _wide(logits).argsort(dim=-1)
        probs = torch.take_along_dim(softmax(_wide(logits)), order, dim=-1)
        kept = probs.cumsum(dim=-1) > 1 - p
        kept[..., -1] = True
        back = order.argsort(dim=-1)  # the inverse permutation
        kept = torch.take_along_dim(kept, back, dim=-1)
    return torch.where(kept, logits, -math.inf)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return logits.argmax(dim=-1)
    left = apply_temperature(logits, temperature)
    if top_k is not None:
        left = keep_top_k(left, top_k)
    if top_p is not None:
        left = keep_top_p(left, top_p)
    # argmax(x + Gumbel noise) is token i with probability softmax(x)_i
    chance = torch.rand(
        left.shape, dtype=torch.float64, device=left.device, generator=generator
    ).clamp(min=1e-300)
    return (left.double() - torch.log(-torch.log(chance))).argmax(dim=-1)
