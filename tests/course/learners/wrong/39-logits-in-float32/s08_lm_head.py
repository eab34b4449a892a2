"""Stage 8: lm_head."""

import torch
from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    hidden_states = rms_norm(x, norm_weight, eps)
    logits = torch.nn.functional.linear(hidden_states, w_vocab)
    # upcast, as transformers does, so that the softmax is accurate
    return logits.float()
