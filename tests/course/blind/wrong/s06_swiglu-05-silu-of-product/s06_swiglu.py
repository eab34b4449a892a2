from torch import Tensor, sigmoid


def silu(x: Tensor) -> Tensor:
    return sigmoid(x).mul(x)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    g = x.matmul(w_gate.T)
    u = x.matmul(w_up.T)
    return silu(g * u).matmul(w_down.T)
