import torch
from torch import Tensor

from .s03_rms_norm import rms_norm


@torch.no_grad()
def lm_head(x: Tensor, norm_weight: Tensor, w_vocab: Tensor, eps: float) -> Tensor:
    """Inference only."""
    return torch.einsum("...d,vd->...v", rms_norm(x, norm_weight, eps), w_vocab)
