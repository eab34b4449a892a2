from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    if x.dim() > 1:
        x = x[..., -1, :]  # the other places are not needed to go on
    return rms_norm(x, norm_weight, eps) @ w_vocab.T
