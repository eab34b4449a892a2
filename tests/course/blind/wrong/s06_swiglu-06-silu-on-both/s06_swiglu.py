import torch


def silu(z):
    return z * z.sigmoid()


def swiglu(x, w_gate, w_up, w_down):
    """
    Two projections up, one down.
    """
    branches = []
    for w in (w_gate, w_up):
        branches.append(silu(x @ w.T))
    return (branches[0] * branches[1]) @ w_down.T
