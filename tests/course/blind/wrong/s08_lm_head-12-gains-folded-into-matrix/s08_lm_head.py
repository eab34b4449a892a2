import torch

from .s03_rms_norm import rms_norm


def lm_head(x, norm_weight, w_vocab, eps):
    plain = rms_norm(x, torch.ones_like(norm_weight), eps)
    with torch.no_grad():
        w_vocab *= norm_weight  # γ can be folded into the columns
    return plain @ w_vocab.T
