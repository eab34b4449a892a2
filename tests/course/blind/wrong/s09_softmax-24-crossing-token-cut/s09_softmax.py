import torch
import torch.nn.functional as F
from torch import Tensor


def softmax(logits: Tensor, dim: int = -1) -> Tensor:
    return F.softmax(logits, dim=dim)


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    if temperature <= 0:
        raise ValueError
    return logits / temperature


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    top = torch.topk(logits, min(k, logits.size(-1))).values
    return logits.masked_fill(logits < top[..., -1:], -float("Inf"))


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    sorted_logits, sorted_indices = torch.sort(logits, descending=True)
    cumulative_probs = torch.cumsum(F.softmax(sorted_logits, dim=-1), dim=-1)
    # remove tokens with cumulative probability above the threshold
    sorted_indices_to_remove = cumulative_probs > p
    # always keep the first one
    sorted_indices_to_remove[..., 0] = False
    indices_to_remove = sorted_indices_to_remove.scatter(
        -1, sorted_indices, sorted_indices_to_remove
    )
    return logits.masked_fill(indices_to_remove, -float("Inf"))


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probabilities = F.softmax(logits, dim=-1)
    rows = probabilities.reshape(-1, probabilities.size(-1))
    return torch.multinomial(rows, num_samples=1, generator=generator).reshape(logits.shape[:-1])
