"""Stage 9: from scores to one token."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

IMPOSSIBLE = float("-inf")


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    small = logits.dtype in (torch.float16, torch.bfloat16)
    work = logits.to(torch.float32) if small else logits
    # the best of each row becomes 0, so no power is above e^0 = 1
    m = work.max(dim=dim, keepdim=True).values
    powers = (work - m).exp()
    return powers.div(powers.sum(dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    vocabulary = logits.shape[-1]
    if k >= vocabulary:
        return logits.clone()
    best_first, _ = torch.sort(logits, dim=-1, descending=True)
    threshold = best_first[..., k].unsqueeze(-1)
    return torch.where(logits >= threshold, logits, torch.full_like(logits, IMPOSSIBLE))


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    worst_first, order = torch.sort(logits, dim=-1)
    together = softmax(worst_first).cumsum(dim=-1)
    cut = together <= 1 - p
    cut[..., -1] = False  # the best one stays
    # put the marks back to the places of their tokens
    back = order.argsort(dim=-1)
    cut = cut.gather(-1, back)
    return torch.where(cut, torch.full_like(logits, IMPOSSIBLE), logits)


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

    chances = softmax(scores.float(), dim=-1)
    rows = chances.reshape(-1, chances.shape[-1])
    tokens = torch.multinomial(rows, num_samples=1, generator=generator).squeeze(-1)
    return tokens.reshape(logits.shape[:-1])
