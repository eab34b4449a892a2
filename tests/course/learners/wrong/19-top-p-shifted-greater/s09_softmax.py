"""Stage 9: softmax and sampling."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    x = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    x = x - x.amax(dim=dim, keepdim=True).detach()
    e = x.exp()
    return (e / e.sum(dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if not temperature > 0:
        raise ValueError("the temperature must be above 0")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    k = min(k, logits.shape[-1])
    kth_best = torch.topk(logits, k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < kth_best, -math.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    sorted_logits, sorted_indices = torch.sort(logits, descending=True, dim=-1)
    cumulative_probs = softmax(sorted_logits, dim=-1).cumsum(dim=-1).clamp(max=1.0)

    # remove tokens with cumulative probability above the threshold
    sorted_indices_to_remove = cumulative_probs > p
    # shift to the right to keep also the first token above the threshold
    sorted_indices_to_remove[..., 1:] = sorted_indices_to_remove[..., :-1].clone()
    sorted_indices_to_remove[..., 0] = False

    indices_to_remove = torch.zeros_like(sorted_indices_to_remove)
    indices_to_remove.scatter_(-1, sorted_indices, sorted_indices_to_remove)
    return logits.masked_fill(indices_to_remove, -math.inf)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits.float())
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])
