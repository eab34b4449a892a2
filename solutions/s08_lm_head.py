"""Stage 8 · lm_head: from the stream to a score for every token."""

from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    """Normalise once more, then compare with every token's row.

    x:           the residual stream after the last layer
    norm_weight: γ of the final norm
    w_vocab:     one row a token; the embedding table again where the model ties them
    eps:         of the final norm
    returns:     one logit a token of the vocabulary
    """
    return rms_norm(x, norm_weight, eps) @ w_vocab.mT
