import torch

torch_softmax = torch.nn.functional.softmax


def softmax(logits, dim=-1):
    return torch_softmax(logits, dim=dim)


def apply_temperature(logits, temperature):
    if temperature <= 0:
        raise ValueError(f"{temperature=} is not above 0")
    return logits / temperature


def keep_top_k(logits, k):
    values = logits.topk(k if k < logits.shape[-1] else logits.shape[-1], dim=-1).values
    return torch.where(logits < values[..., [-1]], float("-inf"), logits)


def keep_top_p(logits, p):
    table = logits if logits.dim() > 1 else logits.unsqueeze(0)
    values, ids = table.sort(dim=-1, descending=True)
    probs = softmax(values.double())
    before = probs.cumsum(0 if logits.dim() > 1 else -1) - probs
    keep = (before < p) & (probs > 0)
    keep[..., 0] = True
    mask = torch.zeros_like(keep).scatter(-1, ids, keep).reshape(logits.shape)
    return torch.where(mask, logits, float("-inf"))


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
