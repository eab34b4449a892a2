from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    """Norm of the last layer's output, then the final norm, then the head."""
    last_hidden = rms_norm(x, norm_weight, eps)
    return rms_norm(last_hidden, norm_weight, eps) @ w_vocab.T
