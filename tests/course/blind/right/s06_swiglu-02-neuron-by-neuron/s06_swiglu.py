import torch
from torch import Tensor


def silu(x: Tensor) -> Tensor:
    return torch.exp(torch.nn.functional.logsigmoid(x)) * x


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    """One neuron at a time."""
    wide = x.double()
    result = torch.zeros_like(wide)
    for neuron in range(w_gate.shape[0]):
        opened = silu((wide * w_gate[neuron]).sum(dim=-1, keepdim=True))
        said = (wide * w_up[neuron]).sum(dim=-1, keepdim=True)
        result = result + opened * said * w_down[:, neuron]
    return result.to(x.dtype)
