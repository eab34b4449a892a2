import torch

from .s03_rms_norm import rms_norm


def lm_head(x, norm_weight, w_vocab, eps):
    # a score for every token, between 0 and 1
    scores = torch.matmul(rms_norm(x, norm_weight, eps), w_vocab.t())
    return scores.softmax(dim=-1)
