"""Stage 8: first the product, in slices of the vocabulary, then the division by the RMS."""

import torch
from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm

SLICE = 4096


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    # the division is one number a token, so it may as well come last
    wide = torch.promote_types(x.dtype, torch.float32)
    scaled = x.to(wide) * norm_weight.to(wide)
    raw = [scaled @ rows.to(wide).T for rows in w_vocab.split(SLICE)]
    rms = x.to(wide).square().mean(dim=-1, keepdim=True).add(eps).sqrt()
    return (torch.cat(raw, dim=-1) / rms).to(x.dtype)
