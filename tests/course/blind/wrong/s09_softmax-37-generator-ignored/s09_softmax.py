import math
import torch

INF = float("inf")


def _rows(logits):
    """All rows as lists of Python numbers."""
    return logits.detach().double().reshape(-1, logits.shape[-1]).tolist()


def _probabilities(row):
    best = max(row)
    powers = [math.exp(number - best) for number in row]
    total = math.fsum(powers)
    return [power / total for power in powers]


def _masked(logits, keeps):
    keep = torch.tensor(keeps, dtype=torch.bool).reshape(logits.shape)
    return torch.where(keep, logits, torch.full_like(logits, -INF))


def softmax(logits, dim=-1):
    shifted = logits - logits.max(dim=dim, keepdim=True).values
    powers = math.e ** shifted.double()
    return (powers / powers.sum(dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits, temperature):
    if not temperature > 0:
        raise ValueError("temperature must be positive")
    return logits * 1.0 / temperature


def keep_top_k(logits, k):
    keeps = []
    for row in _rows(logits):
        border = sorted(row, reverse=True)[:k][-1]
        keeps.append([number >= border for number in row])
    return _masked(logits, keeps)


def keep_top_p(logits, p):
    keeps = []
    for row in _rows(logits):
        probs = _probabilities(row)
        worst_first = sorted(range(len(row)), key=lambda i: probs[i])
        keep, together = [True] * len(row), 0.0
        for i in worst_first[:-1]:
            together += probs[i]
            if together > 1 - p:
                break
            keep[i] = False
        keeps.append(keep)
    return _masked(logits, keeps)


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    shape = logits.shape[:-1]
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    logits = logits if top_k is None else keep_top_k(logits, top_k)
    logits = logits if top_p is None else keep_top_p(logits, top_p)
    tokens = []
    for row in _rows(logits):
        p = torch.tensor(_probabilities(row))
        tokens.append(torch.multinomial(p, 1).item())
    return torch.tensor(tokens, dtype=torch.int64).reshape(shape)
