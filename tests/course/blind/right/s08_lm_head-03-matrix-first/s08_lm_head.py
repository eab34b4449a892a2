import torch

from .s03_rms_norm import rms_norm


def lm_head(x, norm_weight, w_vocab, eps):
    """Cada fila del vocabulari pregunta al corrent."""
    corrent = rms_norm(x, norm_weight, eps).unsqueeze(-1)  # (…, D, 1)
    puntuacions = torch.matmul(w_vocab, corrent)  # (…, V, 1)
    return puntuacions.squeeze(-1)
