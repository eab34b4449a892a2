import torch


def sigma(x):
    e = torch.exp(x)
    return e / (1 + e)


def silu(x):
    return x * sigma(x)


def swiglu(x, w_gate, w_up, w_down):
    compuerta = silu(x @ w_gate.T)
    subida = x @ w_up.T
    return (compuerta * subida) @ w_down.T
