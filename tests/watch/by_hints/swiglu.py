import torch


def silu(x):
    return torch.sigmoid(x) * x


def swiglu(x, w_gate, w_up, w_down):
    gate = x @ w_gate.mT
    up = x @ w_up.mT
    return (silu(gate) * up) @ w_down.mT
