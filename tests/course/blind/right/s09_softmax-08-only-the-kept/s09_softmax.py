import torch

def softmax(logits, dim=-1):
    shifted = logits - logits.max(dim=dim, keepdim=True).values
    return shifted.exp() / shifted.exp().sum(dim=dim, keepdim=True)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError(f"{temperature=} is not above 0")
    return logits / temperature


def keep_top_k(logits, k):
    values = logits.topk(k if k < logits.shape[-1] else logits.shape[-1], dim=-1).values
    return torch.where(logits < values[..., [-1]], float("-inf"), logits)


def keep_top_p(logits, p):
    values, ids = logits.sort(dim=-1, descending=True)
    probs = softmax(values.double())
    tail = 1.0 * torch.flip(torch.cumsum(torch.flip(probs, [-1]), -1), [-1])
    keep = (tail > 1 - p).index_fill(-1, torch.tensor([0]), True)
    best_first = values.masked_fill(~keep, float("-inf"))
    back = torch.empty_like(ids).scatter_(-1, ids, torch.arange(ids.shape[-1]).expand_as(ids))
    return best_first.gather(-1, back)


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    chosen = []
    for row in logits.reshape(-1, logits.shape[-1]):
        kept = torch.nonzero(row > float("-inf")).flatten()
        place = torch.multinomial(softmax(row[kept].double()), 1, generator=generator)
        chosen.append(kept[place])
    return torch.cat(chosen).reshape(logits.shape[:-1])
