"""Stage 9: softmax and sampling."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def _wide(t):
    return t.float() if t.dtype in (torch.float16, torch.bfloat16) else t


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    z = _wide(logits)
    e = torch.exp(z - z.max())
    return (e / e.sum(dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    if k >= logits.shape[-1]:
        return logits.clone()
    threshold = torch.topk(logits, k, dim=-1)[0][..., -1, None]
    return torch.where(logits < threshold, -math.inf, logits)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    with torch.no_grad():
        z = _wide(logits)
        values, idx = torch.sort(z, dim=-1, descending=False)
        probs = softmax(values)
        remove = probs.cumsum(-1) <= 1 - p
        remove[..., -1] = False
        remove = remove.scatter(-1, idx, remove)
    return logits.masked_fill(remove, -math.inf)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return torch.argmax(logits, dim=-1)
    scores = apply_temperature(logits, temperature)
    if top_k is not None:
        scores = keep_top_k(scores, top_k)
    if top_p is not None:
        scores = keep_top_p(scores, top_p)
    flat = softmax(_wide(scores)).reshape(-1, scores.shape[-1])
    return torch.multinomial(flat, 1, generator=generator).view(scores.shape[:-1])
