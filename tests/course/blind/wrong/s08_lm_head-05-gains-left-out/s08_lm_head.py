import torch
from torch import Tensor


def lm_head(x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
    h = x.float()
    h = h / torch.sqrt((h * h).mean(dim=-1, keepdim=True) + eps)
    h = h.to(x.dtype)
    return h @ w_vocab.T
