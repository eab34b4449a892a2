"""What every tensor function owes its caller: dtype, batches, gradients, clean hands.

Each takes `call`, the learner's function with all but its tensors filled in.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from token_journey.checking import CheckFailure, expect, expect_true, tensor, wrong_kind

Call = Callable[..., Tensor]


def expect_bfloat16(call: Call, *inputs: Tensor, what: str) -> None:
    """bfloat16 in gives bfloat16 out, near what float32 gives on the same numbers."""
    halves = [x.bfloat16() if x.is_floating_point() else x for x in inputs]
    exact = tensor(call(*(h.float() if h.is_floating_point() else h for h in halves)), what)
    # What is impossible, −∞, says nothing of rounding.
    largest = exact.abs().nan_to_num(nan=0.0, posinf=0.0).max().item()
    allowed = 4 * torch.finfo(torch.bfloat16).eps * largest
    expect(call(*halves), exact.bfloat16(), f"{what} in bfloat16", tolerance=allowed)


def expect_norm_in_float32(call: Call, features: int, what: str) -> None:
    """`call` normalises bfloat16 vectors of so many features to the length 1, by float32.

    Each number is rounded to bfloat16, some up and some down, so their root mean square is a
    hundred times more exact than they are: roundings of half an eps, the root of `features`
    of them. A mean square that was itself rounded moves them all alike.
    """
    generator = torch.Generator().manual_seed(3)
    scales = torch.tensor([1.1, 1.3, 1.5, 1.7, 2.3, 2.7])[:, None]
    x = (scales * (2 * torch.rand(6, features, generator=generator) - 1)).bfloat16()
    normed = of_kind(call(x), x, what)
    allowed = 4 * torch.finfo(torch.bfloat16).eps / features**0.5
    actual = normed.float().square().mean(dim=-1).sqrt()
    about = f"the root mean square of {what} in bfloat16"
    expect(actual, torch.ones(6), about, tolerance=allowed, axes=("token",))


def expect_batches(call: Call, *inputs: Tensor, what: str, batched: int = 1) -> None:
    """Leading axes are batches: the first `batched` inputs, stacked, give stacked results."""
    varied = [tuple(x * scale for x in inputs[:batched]) for scale in (1.0, 0.5, -0.25)]
    rest = inputs[batched:]
    one_by_one = torch.stack([tensor(call(*one, *rest), what) for one in varied])
    stacked = [torch.stack(column) for column in zip(*varied, strict=True)]
    expect(call(*stacked, *rest), one_by_one, f"{what} of a batch of three", where="shape (3, …)")
    # Two axes more, one of them of length 1: that is an axis, too, and stays.
    twice = [torch.stack([x, x])[None] for x in stacked]
    expected = torch.stack([one_by_one] * 2)[None]
    expect(call(*twice, *rest), expected, f"{what} of a batch of 1 × 2 × 3")


def expect_gradients(call: Call, *inputs: Tensor, what: str, smooth: bool = True) -> None:
    """A loss on the result reaches every floating-point input, and as its slope if `smooth`."""
    leaves = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs]
    result = tensor(call(*leaves), what)
    expect_true(
        result.requires_grad,
        f"No gradient flows through {what}: leave out .detach(), .item(), .data, .numpy() "
        "and torch.no_grad().",
    )
    backward(_loss(result), what)
    for place, leaf in enumerate(leaves):
        if leaf.requires_grad:
            expect_true(
                leaf.grad is not None and bool(leaf.grad.isfinite().all()),
                f"No finite gradient reaches argument {place + 1} of {what}.",
            )
    if smooth and all(leaf.requires_grad for leaf in leaves):
        _check_slopes(call, inputs, [leaf.grad for leaf in leaves], what)


def backward(loss: Tensor, what: str) -> None:
    """Run the gradients back; what autograd can't run is a failed check."""
    try:
        loss.backward()
    except RuntimeError as error:
        raise CheckFailure(
            f"The gradient of {what} can't be computed: {str(error).partition(';')[0]}. A tensor "
            "that was changed in place (`x += y`, `x.mul_(y)`) is often the reason."
        ) from error


def _check_slopes(call: Call, inputs: tuple[Tensor, ...], grads: list[Tensor], what: str) -> None:
    """Each gradient says how the loss changes when its input is moved a little."""
    step = 1e-2  # where float32 rounds to 1e-5 of a slope and curvature shifts it by about as much
    for place, grad in enumerate(grads):
        generator = torch.Generator().manual_seed(place)
        direction = torch.randn(inputs[place].shape, generator=generator)
        losses = []
        for sign in (1, -1):
            moved = [x.detach().clone() for x in inputs]
            moved[place] = moved[place] + sign * step * direction
            losses.append(_loss(tensor(call(*moved), what).double()).item())
        slope = (losses[0] - losses[1]) / (2 * step)
        claimed = (grad * direction).sum().item()
        scale = max(abs(slope), (grad * direction).norm().item())
        expect_true(
            abs(claimed - slope) <= 0.02 * scale + 1e-3,
            f"The gradient of {what} at argument {place + 1} is not its slope: is a part of the "
            "formula detached?",
        )


def _loss(result: Tensor) -> Tensor:
    weights = torch.linspace(0.5, 1.5, result.numel(), dtype=result.dtype)
    return (result * weights.view_as(result)).sum()


def expect_inputs_unchanged(call: Call, *inputs: Tensor, what: str) -> None:
    """The numbers that went in are still there afterwards."""
    before = [x.clone() for x in inputs]
    call(*inputs)
    expect_true(
        all(torch.equal(x, b) for x, b in zip(inputs, before, strict=True)),
        f"{what} changed its input: leave that as it is. `x += y` and `x[i] = y` change x; "
        "`x = x + y` and `x.clone()` give a new tensor.",
    )


def expect_new(call: Call, x: Tensor, what: str) -> None:
    """The result is a tensor of its own, also where nothing is left to compute."""
    result = tensor(call(x), what)
    expect_true(
        result.untyped_storage().data_ptr() != x.untyped_storage().data_ptr(),
        f"{what} returned its input: the result should be a new tensor, which can be changed "
        "without changing the other (`x.clone()` makes one).",
    )


def of_kind(result: object, like: Tensor, what: str) -> Tensor:
    """A result that is about to be worked with: a tensor of the shape and dtype of `like`."""
    complaint = wrong_kind(what, result, like)
    expect_true(complaint is None, str(complaint))
    return tensor(result, what)
