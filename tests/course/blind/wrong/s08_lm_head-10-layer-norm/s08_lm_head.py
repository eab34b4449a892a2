import torch.nn.functional as F


def lm_head(x, norm_weight, w_vocab, eps):
    """final layer norm + unembedding"""
    h = F.layer_norm(x, (x.shape[-1],), weight=norm_weight, eps=eps)
    return F.linear(h, w_vocab)
