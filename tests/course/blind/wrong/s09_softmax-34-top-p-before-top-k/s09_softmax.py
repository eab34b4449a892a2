import torch


def softmax(logits, dim=-1):
    e = torch.exp(logits - logits.amax(dim=dim, keepdim=True))
    # the sum of very many halves may be too large for float16
    total = e.sum(dim=dim, keepdim=True, dtype=torch.promote_types(e.dtype, torch.float32))
    return (e / total).to(logits.dtype)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    return logits / temperature


def keep_top_k(logits, k):
    k = min(k, logits.shape[-1])
    threshold = torch.topk(logits, k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < threshold, float("-inf"))


def keep_top_p(logits, p):
    ordered, places = torch.sort(logits, dim=-1, descending=False)
    together = softmax(ordered.float()).cumsum(dim=-1)
    cut = together <= 1 - p
    cut[..., -1] = False
    cut = torch.zeros_like(cut).scatter(-1, places, cut)
    return logits.masked_fill(cut, float("-inf"))


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    probs = softmax(logits.float())
    flat = probs.reshape(-1, probs.shape[-1])
    return torch.multinomial(flat, 1, generator=generator).reshape(probs.shape[:-1])
