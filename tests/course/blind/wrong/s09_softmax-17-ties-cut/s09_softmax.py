import torch
from torch import Tensor


def softmax(logits: Tensor, dim: int = -1) -> Tensor:
    # in log space: p = e^(x - log Σ e^x), after the best is brought to 0
    x = logits.double()
    x = x - x.amax(dim=dim, keepdim=True)
    return torch.exp(x - torch.logsumexp(x, dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    if temperature > 0:
        return torch.div(logits, temperature)
    raise ValueError("the temperature has to be above 0")


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    best = logits.topk(min(k, logits.size(-1)), dim=-1)
    return torch.full_like(logits, -torch.inf).scatter(-1, best.indices, best.values)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    probs = softmax(logits.double())
    order = probs.argsort(dim=-1)
    tail = probs.gather(-1, order).cumsum(-1)
    tail[..., -1] = 2.0  # the best always stays
    rank = order.argsort(dim=-1)  # where each token stands in that order
    return torch.where(tail.gather(-1, rank) <= 1 - p, -torch.inf, logits)


def sample(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    if temperature == 0:
        return torch.argmax(logits, dim=-1)
    x = apply_temperature(logits, temperature)
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    u = torch.rand(x.shape, generator=generator, dtype=torch.float64).clamp(min=1e-300)
    gumbel = -torch.log(-torch.log(u))
    return torch.argmax(x.double() + gumbel, dim=-1)
