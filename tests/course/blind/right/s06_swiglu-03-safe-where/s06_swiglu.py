import torch


def silu(x):
    d = x.double()
    e = torch.exp(-d.abs())  # between 0 and 1
    sigma = torch.where(d >= 0, 1 / (1 + e), e / (1 + e))
    return (d * sigma).to(x.dtype)


def swiglu(x, w_gate, w_up, w_down):
    d = x.double()
    g, u = d @ w_gate.double().T, d @ w_up.double().T
    return ((silu(g) * u) @ w_down.double().T).to(x.dtype)
