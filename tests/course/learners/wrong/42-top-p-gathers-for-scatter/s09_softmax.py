"""Stage 9."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    x = logits if logits.dtype == torch.float64 else logits.to(torch.float32)
    x = x - torch.amax(x, dim, keepdim=True)
    num = x.exp()
    den = num.sum(dim, keepdim=True)
    return num.div(den).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if not temperature > 0:
        raise ValueError("temperature <= 0")
    return logits.div(temperature)


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    v = logits.shape[-1]
    ordered = logits.sort(dim=-1, descending=True).values
    kth = ordered.narrow(-1, min(k, v) - 1, 1)
    return logits.masked_fill(logits.lt(kth), -math.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    x = logits if logits.dtype == torch.float64 else logits.float()
    ordered, idx = x.sort(dim=-1)
    cum = torch.cumsum(softmax(ordered), dim=-1)
    drop = cum <= 1 - p
    drop[..., -1:] = False
    # back to the original order
    drop = torch.gather(drop, -1, idx)
    return logits.masked_fill(drop, -math.inf)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return logits.argmax(dim=-1)
    x = apply_temperature(logits, temperature)
    x = x if top_k is None else keep_top_k(x, top_k)
    x = x if top_p is None else keep_top_p(x, top_p)
    x = x if x.dtype == torch.float64 else x.float()
    p = softmax(x).flatten(0, -2) if x.dim() > 1 else softmax(x).unsqueeze(0)
    return torch.multinomial(p, 1, generator=generator).squeeze(-1).view(logits.shape[:-1])
