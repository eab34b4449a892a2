import torch


def silu(x):
    x = x.float()
    return x * torch.sigmoid(x)


def swiglu(x, w_gate, w_up, w_down):
    # half precision is dangerous, so everything in float32
    x = x.float()
    gate = silu(x @ w_gate.float().T)
    up = x @ w_up.float().T
    return (gate * up) @ w_down.float().T
