import torch
from torch import stack

NEVER = float("-inf")


def by_row(function):
    """Makes a function of one row work for any axes in front."""

    def many(logits, *rest, **named):
        if logits.dim() == 1:
            return function(logits, *rest, **named)
        return stack([many(part, *rest, **named) for part in logits])

    return many


def softmax(logits, dim=-1):
    if logits.dim() == 0:
        return torch.ones_like(logits) + 0 * logits
    last = logits.movedim(dim, -1).double()
    e = (last - last.max(-1, keepdim=True)[0]).exp()
    return (e / e.sum(-1, keepdim=True)).to(logits.dtype).movedim(-1, dim)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature")
    return logits * (1 / temperature)


@by_row
def keep_top_k(logits, k):
    left = logits.detach().clone()
    border = left.max()
    for _ in range(min(k, len(left))):
        border = left.max()
        if border == NEVER:
            break
        left[left.argmax()] = NEVER
    return torch.where(logits >= border, logits, NEVER)


@by_row
def keep_top_p(logits, p):
    probs = softmax(logits.detach().double())
    mask = probs <= 1 - p
    mask[probs.argmax()] = False
    return logits.masked_fill(mask, NEVER)


@by_row
def _draw(logits, generator):
    return torch.multinomial(softmax(logits.float()), 1, generator=generator)[0]


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    return _draw(logits, generator)
