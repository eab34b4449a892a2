from torch import sigmoid

silu = lambda x: sigmoid(x) * x  # noqa: E731

swiglu = lambda x, w_gate, w_up, w_down: (  # noqa: E731
    ((x @ w_up.transpose(0, 1)) * silu(x @ w_gate.transpose(0, 1))) @ w_down.transpose(0, 1)
)
