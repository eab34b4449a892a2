import math

from .s03_rms_norm import rms_norm


def lm_head(x, norm_weight, w_vocab, eps):
    h = rms_norm(x, norm_weight, eps)
    # scale as in attention, or the scalar products get too large
    return (h @ w_vocab.T) / math.sqrt(x.shape[-1])
