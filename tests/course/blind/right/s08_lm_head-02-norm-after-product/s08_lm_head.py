import torch


def lm_head(x, norm_weight, w_vocab, eps):
    """norm(x) W^T = (x (γ W)^T) / rms, since the length is one number a token."""
    long = x.to(torch.float64)
    matrix = w_vocab.to(torch.float64) * norm_weight.to(torch.float64)
    rms = torch.sqrt(torch.mean(long**2, dim=-1, keepdim=True) + eps)
    return (torch.einsum("...d,vd->...v", long, matrix) / rms).to(x.dtype)
