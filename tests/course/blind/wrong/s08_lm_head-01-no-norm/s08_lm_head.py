from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
    """Project to the vocabulary."""
    return x @ w_vocab.T
