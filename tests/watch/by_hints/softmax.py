import torch


def softmax(logits, dim=-1):
    largest = logits.max(dim=dim, keepdim=True).values
    powers = torch.exp(logits - largest)
    return powers / powers.sum(dim=dim, keepdim=True)


def apply_temperature(logits, temperature):
    if not temperature > 0:
        raise ValueError("the temperature must be above 0")
    return logits / temperature


def keep_top_k(logits, k):
    k = min(k, logits.shape[-1])
    kth = torch.topk(logits, k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < kth, float("-inf"))


def keep_top_p(logits, p):
    ordered, places = torch.sort(logits, dim=-1)
    together = softmax(ordered).cumsum(dim=-1)
    cut = together <= 1 - p
    cut[..., -1] = False
    back = torch.argsort(places, dim=-1)
    cut = torch.gather(cut, -1, back)
    return logits.masked_fill(cut, float("-inf"))


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probabilities = softmax(logits)
    rows = probabilities.reshape(-1, probabilities.shape[-1])
    drawn = torch.multinomial(rows, 1, generator=generator)
    return drawn.reshape(logits.shape[:-1])
