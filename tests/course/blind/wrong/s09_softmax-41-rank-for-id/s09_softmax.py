import torch


def softmax(logits, dim=-1):
    z = logits - logits.max(dim=dim, keepdim=True).values
    num = z.double().exp()
    return (num / num.sum(dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError("T must be > 0")
    return logits / temperature


def keep_top_k(logits, k):
    if k >= logits.shape[-1]:
        return logits.clone()
    v, _ = torch.topk(logits, k)
    out = logits.clone()
    out[out < v[..., [-1]]] = -float("Inf")
    return out


def keep_top_p(logits, p):
    vals, idx = logits.sort(dim=-1)
    cum = softmax(vals).cumsum(dim=-1)
    drop = cum <= 1 - p
    drop[..., -1] = False
    return logits.masked_fill(drop.gather(-1, idx.argsort(dim=-1)), -float("Inf"))


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs_sort, probs_idx = torch.sort(softmax(logits), dim=-1, descending=True)
    flat = probs_sort.reshape(-1, probs_sort.shape[-1])
    next_token = torch.multinomial(flat, num_samples=1, generator=generator)
    return next_token.reshape(logits.shape[:-1])
