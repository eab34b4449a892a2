"""Right ways to write stage 9 that look different."""
# ruff: noqa: F821  (the stage's own functions)

import math

import torch

from token_journey.course.misconceptions import rewrite


@rewrite("softmax", "by logsumexp, in float32 at least, the best at 0")
def by_logsumexp(logits, dim=-1):
    wide = logits if logits.dtype == torch.float64 else logits.float()
    wide = wide - wide.amax(dim, keepdim=True)
    return (wide - torch.logsumexp(wide, dim, keepdim=True)).exp().to(logits.dtype)


@rewrite("softmax", "in float64, with the maximum detached")
def in_float64(logits, dim=-1):
    wide = logits.double()
    weights = (wide - wide.detach().max(dim, keepdim=True).values).exp()
    return (weights / weights.sum(dim, keepdim=True)).to(logits)


@rewrite("softmax", "impossible tokens left out of the sum")
def without_the_impossible(logits, dim=-1):
    top = logits.amax(dim, True)
    weights = torch.where(logits == -math.inf, 0.0, (logits - top).exp())
    return weights * weights.sum(dim, True).reciprocal()


@rewrite("softmax", "a running sum, one number after the other")
def by_a_running_sum(logits, dim=-1):
    weights = (logits - logits.amax(dim, keepdim=True)).exp()
    total = torch.zeros_like(weights.select(dim, 0))
    for number in weights.unbind(dim):
        total = total + number
    return weights / total.unsqueeze(dim)


@rewrite("apply_temperature", "the inverse, refused first")
def by_the_inverse(logits, temperature):
    if not temperature > 0:
        raise ValueError(f"{temperature} is no temperature")
    return logits * (1 / temperature)


@rewrite("keep_top_k", "the k-th best of the sorted logits")
def by_sorting(logits, k):
    kth_best = logits.sort(dim=-1, descending=True).values[..., : max(1, k)][..., -1:]
    return torch.where(logits >= kth_best, logits, torch.full_like(logits, -math.inf))


@rewrite("keep_top_k", "by counting how many are better")
def by_counting(logits, k):
    better = (logits[..., None, :] > logits[..., None]).sum(-1) if logits.shape[-1] < 1000 else None
    if better is None:
        kth_best = torch.kthvalue(logits, logits.shape[-1] - k + 1, dim=-1, keepdim=True).values
        return logits.masked_fill(logits < kth_best, -math.inf)
    return logits.masked_fill(better >= k, -math.inf)


@rewrite("keep_top_p", "from the best down, scattered back")
def from_the_best_down(logits, p):
    best_first, order = torch.sort(logits, descending=True, dim=-1)
    probs = best_first.softmax(-1)
    cut = probs.cumsum(-1) - probs >= p
    cut[..., 0] = False
    return logits.masked_fill(torch.zeros_like(cut).scatter(-1, order, cut), -math.inf)


@rewrite("keep_top_p", "as published with the first transformers: shifted by one, row by row")
def shifted_row_by_row(logits, p):
    def one(row):
        best_first, order = torch.sort(row, descending=True)
        remove = best_first.softmax(-1).double().cumsum(-1) >= p
        remove = torch.cat([torch.zeros_like(remove[:1]), remove[:-1]])
        kept = row.clone()
        kept[order[remove]] = -math.inf
        return kept

    rows = [one(row) for row in logits.reshape(-1, logits.shape[-1])]
    return torch.stack(rows).view_as(logits)


@rewrite("keep_top_p", "in float64")
def top_p_in_float64(logits, p):
    worst_first, order = logits.double().sort()
    cut = worst_first.softmax(-1).cumsum(-1) <= 1 - p
    cut[..., -1] = False
    mask = torch.zeros_like(cut).scatter(-1, order, cut)
    return torch.where(mask, torch.full_like(logits, -math.inf), logits)


@rewrite("sample", "by Gumbel noise")
def by_gumbel_noise(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return torch.max(logits, dim=-1).indices
    logits = apply_temperature(logits, temperature)
    logits = logits if top_k is None else keep_top_k(logits, top_k)
    logits = logits if top_p is None else keep_top_p(logits, top_p)
    uniform = torch.rand(logits.shape, generator=generator).clamp(min=1e-30)
    return (logits - (-uniform.log()).log()).argmax(-1)


@rewrite("sample", "by the inverse of the distribution function")
def by_inversion(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    together = softmax(logits.double()).cumsum(-1)
    chance = torch.rand(*logits.shape[:-1], 1, dtype=torch.float64, generator=generator)
    chance = chance * together[..., -1:]
    return torch.searchsorted(together, chance, right=True).squeeze(-1)


@rewrite("sample", "row by row")
def row_by_row(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    rows = probs.reshape(-1, probs.shape[-1])
    drawn = [torch.multinomial(row, 1, generator=generator) for row in rows]
    return torch.cat(drawn).reshape(probs.shape[:-1])
