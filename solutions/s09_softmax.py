"""Stage 9 · Softmax and sampling: from scores to one token."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    """Scores become probabilities.

    logits:  any numbers; −inf means impossible
    dim:     the axis that sums to 1
    returns: e^x / Σ e^x along `dim`, also where e^x alone would overflow
    """
    weights = (logits - logits.amax(dim=dim, keepdim=True)).exp()
    return weights / weights.sum(dim=dim, keepdim=True)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    """Sharpen (below 1) or flatten (above 1) the distribution.

    Raises ValueError for a temperature that is not above 0.
    """
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    """Make all but the k best tokens impossible.

    k:       at least 1; more than V keeps all
    returns: the logits, −inf where cut; what ties with the k-th best stays
    """
    kth_best = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth_best, -math.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    """Keep the fewest best tokens whose probabilities reach p together.

    p:       above 0 and at most 1
    returns: the logits, −inf where cut; the best token always stays
    """
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p  # it and all worse ones hold 1 - p or less
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    """Choose the next token.

    temperature: 0 takes the best token (greedy); otherwise as `apply_temperature`
    top_k:       None keeps all
    top_p:       None keeps all
    generator:   where the randomness comes from; the same seed gives the same tokens
    returns:     one token id for each row of logits

    The order is that of transformers: temperature, then top-k, then top-p.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])
