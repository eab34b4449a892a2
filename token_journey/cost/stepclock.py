"""A clock for the steps inside a call, whatever the code in it looks like.

Nobody writes attention in the same lines, but everybody's ends in torch's
operators, and those that multiply by W_q hold W_q in their hands. So each
operator is timed, and told by the weight that it uses or by what came before:
what runs between the scores and the weighted sum is the softmax.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "mv", "dot", "matmul", "linear", "addmv"}
_EXPONENTIALS = {"exp", "_softmax", "softmax", "exp2", "_safe_softmax"}

_OF_WEIGHT = {
    "self_attn.q_proj.weight": "projections",
    "self_attn.k_proj.weight": "projections",
    "self_attn.v_proj.weight": "projections",
    "self_attn.o_proj.weight": "output projection",
    "mlp.gate_proj.weight": "gate",
    "mlp.up_proj.weight": "up",
    "mlp.down_proj.weight": "down",
}
# What is no product belongs to what it follows.
_AFTER = {
    "projections": "rope",
    "scores": "softmax",
    "weighted sum": "weighted sum",
    "gate": "activation",
    "up": "activation",
}


class StepClock(TorchDispatchMode):
    """`with StepClock(layer, head_dim) as clock: …` leaves seconds a step in `clock.seconds`.

    layer: the weights of one layer, under the names that `layer_weights` of stage 7 gives
    now:   reads the time in seconds, once everything before it is done
    """

    def __init__(
        self,
        layer: Mapping[str, Tensor],
        head_dim: int,
        now: Callable[[], float] = time.perf_counter,
    ):
        super().__init__()  # type: ignore[no-untyped-call]
        self.seconds: dict[str, float] = defaultdict(float)
        self._weights = {
            _storage(weight): _OF_WEIGHT[name]
            for name, weight in layer.items()
            if name in _OF_WEIGHT
        }
        self._head_dim = head_dim
        self._now = now
        self._before = ""
        self._normalised = False  # whether an e^x was seen since the last scores

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        started = self._now()
        result = func(*args, **(kwargs or {}))
        seconds = self._now() - started
        self.seconds[self._step(func, args, result)] += seconds
        return result

    def _step(self, func: Any, args: Any, result: Any) -> str:
        name = func.overloadpacket.__name__
        if name not in _PRODUCTS:
            self._normalised = self._normalised or name in _EXPONENTIALS
            return _AFTER.get(self._before, "rest")
        used = [self._weights.get(_storage(a)) for a in args if isinstance(a, Tensor)]
        self._before = next(filter(None, used), "") or self._of_two_activations(args, result)
        return self._before

    def _of_two_activations(self, args: Any, result: Tensor) -> str:
        """Scores are d numbers summed to S; the weighted sum is S summed to d."""
        inner, outer = args[-2].shape[-1], result.shape[-1]
        if (inner == self._head_dim) != (outer == self._head_dim):
            scores = inner == self._head_dim
        else:  # as many tokens as numbers a head: then the order tells
            scores = not self._normalised
        self._normalised = False
        return "scores" if scores else "weighted sum"


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def now_on(device: torch.device) -> Callable[[], float]:
    """A clock that waits for the device: a GPU is given work and answers later."""
    if device.type != "cuda":
        return time.perf_counter

    def now() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return now
