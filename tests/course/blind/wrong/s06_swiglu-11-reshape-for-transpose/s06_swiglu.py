import torch


def silu(x):
    return torch.nn.functional.silu(x)


def swiglu(x, w_gate, w_up, w_down):
    d_model, d_ff = w_down.shape
    gate = torch.einsum("...d,fd->...f", x, w_gate)
    up = torch.einsum("...d,fd->...f", x, w_up)
    h = silu(gate) * up
    # w_down has the shape (D, F), we need (F, D)
    return h @ w_down.reshape(d_ff, d_model)
