from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
    logits = rms_norm(x, norm_weight, eps) @ w_vocab.T
    # transformers does this as well
    logits = logits.float()
    return logits
