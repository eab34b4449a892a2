from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
    scores = rms_norm(x, norm_weight, eps) @ w_vocab.mT
    # numerically stable
    return scores - scores.amax(dim=-1, keepdim=True)
