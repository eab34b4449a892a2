"""How far from exact an honest float32 implementation is.

Every activation a is computed in float32 and again in float64, where rounding
is 2²⁹ times smaller, so |a₃₂ − a₆₄| is the rounding error of one honest float32
implementation: transformers'. Another one sums in another order and errs
elsewhere by about as much, so two of them lie within about twice that of each
other, and chance and other hardware ask for some room. A tolerance is `ROOM`
times the largest error in the tensor. An error counts for at least the spacing of
float32 numbers at the largest magnitude: less is luck, and another implementation
need not have it. Luck adds up along a model: where one number is larger than all others
by far, as in SmolLM2, its rounding is most of the error, and one implementation may err
eight times less than another. So of a checkpoint, the errors that add up are measured on
two implementations (`OwnDtype`, halves).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

ROOM = 8


class Widened(TorchFunctionMode):
    """float64 wherever transformers' modules ask for float32.

    Its norms, RoPE and softmax compute in float32 whatever the model's dtype,
    so a model in float64 is not one of float64 precision without this.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        args = tuple(_widened(a) for a in args)
        return func(*args, **{key: _widened(value) for key, value in (kwargs or {}).items()})


def _widened(argument: Any) -> Any:
    return torch.float64 if argument is torch.float32 else argument


# A matrix that has to be widened is widened by so much at a time.
_MOST_BYTES = 2**28


class OwnDtype(TorchFunctionMode):
    """Weights stay at the dtype they are stored in, and are widened where they are used.

    So a model of 4.5 GB in bfloat16 takes 4.5 GB, whether it computes in float32
    or in float64. Widening loses nothing.

    keep:   whether widened matrices stay until the end, for more than one use; for
            weights that stay where they are meanwhile
    halves: whether products are summed in two halves, which are added at the end, as
            another honest implementation might
    """

    def __init__(self, keep: bool = False, halves: bool = False):
        super().__init__()
        self._keep = keep
        self._halves = halves
        # By the identity of the weight, which is held so that no other can have the same.
        self._widened: dict[tuple[int, torch.dtype], tuple[Tensor, Tensor]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is torch.nn.functional.linear and not kwargs:
            x, weight, bias = args if len(args) == 3 else (*args, None)
            if self._halves:
                half = weight.shape[1] // 2
                first = self._linear(x[..., :half], weight, bias, slice(half))
                return first + self._linear(x[..., half:], weight, None, slice(half, None))
            if weight.dtype != x.dtype:
                return self._linear(x, weight, bias, slice(None))
        return func(*args, **(kwargs or {}))

    def _linear(self, x: Tensor, weight: Tensor, bias: Tensor | None, columns: slice) -> Tensor:
        """The product with some columns of a weight."""
        rows = max(1, _MOST_BYTES // (weight.shape[1] * x.element_size()))
        if rows < len(weight):
            blocks = (weight[begin : begin + rows] for begin in range(0, len(weight), rows))
            parts = [_product(x, block.to(x.dtype)[:, columns]) for block in blocks]
            product = torch.cat(parts, dim=-1)
        else:
            product = _product(x, self._wide(weight, x.dtype)[:, columns])
        return product if bias is None else product + bias.to(x.dtype)

    def _wide(self, weight: Tensor, dtype: torch.dtype) -> Tensor:
        if not self._keep:
            return weight.to(dtype)
        key = id(weight), dtype
        if key not in self._widened:
            self._widened[key] = weight, weight.to(dtype)
        return self._widened[key][1]


def _product(x: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, weight)


class Deviation:
    """How far numbers in float32 lie from the same in float64, looked at part by part."""

    def __init__(self) -> None:
        self._error = self._largest = 0.0

    def add(self, value: Tensor, exact: Tensor) -> Deviation:
        """Raises ValueError where float32 and float64 disagree on what is −inf."""
        finite = value.isfinite()
        if not torch.equal(finite, exact.isfinite()):
            raise ValueError("float32 and float64 disagree on which elements are -inf.")
        numbers = value[finite].double()
        self._error = max(self._error, (numbers - exact[finite]).abs().max().item())
        self._largest = max(self._largest, numbers.abs().max().item())
        return self

    @property
    def tolerance(self) -> float:
        """The largest distance at which a correct answer may lie."""
        return _two_digits_up(ROOM * max(self._error, _spacing(self._largest)))


def tolerance(value: Tensor, exact: Tensor) -> float:
    """The largest distance at which a correct answer may lie from `value`.

    value: in float32
    exact: the same in float64

    Raises ValueError where they disagree on what is −inf.
    """
    return Deviation().add(value, exact).tolerance


def _spacing(magnitude: float) -> float:
    """The distance from a float32 number to the next."""
    return math.ldexp(1.0, math.frexp(magnitude)[1] - 24)


def _two_digits_up(number: float) -> float:
    """Rounded up to two significant digits, to be read by people."""
    if number == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return float(f"{math.ceil(number / unit) * unit:.1e}")
