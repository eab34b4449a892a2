import torch


def final_norm(x, gain, eps):
    x32 = x.to(torch.float32)
    rms = (x32.square().mean() + eps).sqrt()
    return (gain * x32 / rms).to(x.dtype)


def lm_head(x, norm_weight, w_vocab, eps):
    return final_norm(x, norm_weight, eps) @ w_vocab.T
