import torch
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
    if x.ndim == 1:
        return torch.mv(w_vocab, rms_norm(x, norm_weight, eps))
    if len(x) == 0:
        return x.new_empty((*x.shape[:-1], len(w_vocab)))
    return torch.stack([lm_head(part, norm_weight, w_vocab, eps) for part in x])
