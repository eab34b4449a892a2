import torch


def silu(x):
    """1 / (1 + e^-x), the gate"""
    return torch.sigmoid(x)


def swiglu(x, w_gate, w_up, w_down):
    g = silu(x @ w_gate.T)  # between 0 and 1: how far the gate opens
    u = x @ w_up.T
    return (g * u) @ w_down.T
