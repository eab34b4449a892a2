import torch


def silu(x):
    return torch.maximum(x, torch.zeros_like(x))


def swiglu(x, w_gate, w_up, w_down):
    y = (silu(x @ w_gate.T) * (x @ w_up.T)) @ w_down.T
    return x + y
