import torch.nn.functional as F


def silu(x):
    # activation function of the MLP
    return F.gelu(x)


def swiglu(x, w_gate, w_up, w_down):
    return F.linear(silu(F.linear(x, w_gate)) * F.linear(x, w_up), w_down)
