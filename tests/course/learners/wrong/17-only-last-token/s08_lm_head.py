"""Stage 8: lm_head."""

from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    # to go on with the text only the last place counts
    if x.dim() > 1:
        x = x[..., -1, :]
    return rms_norm(x, norm_weight, eps) @ w_vocab.T
