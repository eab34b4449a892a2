from .s03_rms_norm import rms_norm

EPS = 1e-6


def lm_head(x, norm_weight, w_vocab, eps=EPS):
    normalizado = rms_norm(x, norm_weight, EPS)
    return normalizado @ w_vocab.T
