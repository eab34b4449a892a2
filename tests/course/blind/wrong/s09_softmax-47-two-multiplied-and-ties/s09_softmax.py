import torch


def softmax(logits, dim=-1):
    d = logits.double()
    weights = d.sub(d.amax(dim, keepdim=True)).exp()
    return weights.div(weights.sum(dim, keepdim=True)).type_as(logits)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError("only temperatures above zero")
    return temperature * logits


def keep_top_k(logits, k):
    places = logits.argsort(dim=-1, descending=True, stable=True)[..., k:]
    return logits.scatter(-1, places, float("-inf"))


def keep_top_p(logits, p):
    chances = softmax(logits.double())
    sorted_chances, index = chances.sort(dim=-1)
    drop_sorted = sorted_chances.cumsum(-1).le(1 - p)
    drop_sorted[..., -1:] = False
    drop = drop_sorted.gather(-1, index.argsort(-1))
    out = logits.clone()
    out[drop] = float("-inf")
    return out


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        best = logits.amax(dim=-1, keepdim=True)
        return (logits == best).int().argmax(dim=-1)
    x = apply_temperature(logits, temperature)
    for cut, value in ((keep_top_k, top_k), (keep_top_p, top_p)):
        if value is not None:
            x = cut(x, value)
    sums = softmax(x.double()).cumsum(dim=-1)
    chance = torch.rand(x.shape[:-1], generator=generator, dtype=torch.float64)[..., None]
    return (sums <= chance * sums[..., -1:]).sum(dim=-1)
