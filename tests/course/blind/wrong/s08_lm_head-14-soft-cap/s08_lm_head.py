import torch

from .s03_rms_norm import rms_norm

FINAL_LOGIT_SOFTCAP = 30.0


def lm_head(x, norm_weight, w_vocab, eps):
    logits = rms_norm(x, norm_weight, eps) @ w_vocab.T
    return torch.tanh(logits / FINAL_LOGIT_SOFTCAP) * FINAL_LOGIT_SOFTCAP
