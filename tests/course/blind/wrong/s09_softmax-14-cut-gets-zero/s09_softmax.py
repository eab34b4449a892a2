import torch

NEG_INF = -float("inf")


def softmax(logits, dim=-1):
    return torch.softmax(logits, dim)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature must be > 0")
    return logits / temperature


def keep_top_k(logits, k):
    """Zero out all but the k best."""
    k = min(k, logits.shape[-1])
    kth = torch.topk(logits, k)[0][..., -1, None]
    return logits * (logits >= kth)


def keep_top_p(logits, p):
    sorted_logits, sorted_ids = logits.sort(dim=-1)
    remove = sorted_logits.softmax(-1).cumsum(-1) <= 1 - p
    remove[..., -1] = False
    remove = remove.scatter(-1, sorted_ids, remove)
    return logits.masked_fill(remove, NEG_INF)


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return torch.argmax(logits, -1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits, -1)
    batch = probs.shape[:-1]
    return torch.multinomial(probs.view(-1, probs.size(-1)), 1, generator=generator).view(batch)
