def lm_head(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, eps) @ w_vocab.mT
