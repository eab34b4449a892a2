import torch


def silu(x):
    # treat the sigmoid as a constant switch
    return x * torch.sigmoid(x).detach()


def swiglu(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate.T) * (x @ w_up.T)) @ w_down.T
