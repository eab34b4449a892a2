import torch
from torch.nn.functional import linear


def silu(x):
    # σ(x) = (1 + tanh(x/2)) / 2, which cannot overflow
    half = x.to(torch.promote_types(x.dtype, torch.float32)) * 0.5
    return (half * half.tanh() + half).to(x.dtype)


def swiglu(x, w_gate, w_up, w_down):
    return linear(silu(linear(x, w_gate)) * linear(x, w_up), w_down)
