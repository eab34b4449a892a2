import torch

from .s03_rms_norm import rms_norm


def silu(x):
    return x * torch.sigmoid(x)


def swiglu(x, w_gate, w_up, w_down):
    """Norm, then the MLP."""
    x = rms_norm(x, torch.ones(x.shape[-1], dtype=x.dtype, device=x.device), 1e-5)
    return (silu(x @ w_gate.T) * (x @ w_up.T)) @ w_down.T
