"""What makes a result no candidate at all: its type, shape, dtype or device."""

from __future__ import annotations

from token_journey.words.language import _


def differs(what: str) -> str:
    return _("{what} is not what it should be").format(what=what)


def is_none(what: str) -> str:
    return _("{what} is None: is a `return` missing?").format(what=what)


def other_type(what: str, kind: str, wanted: str) -> str:
    kind = kind or _("class without a name")
    article = "an" if kind.startswith(tuple("aeiouAEIOU")) else "a"
    return _("{what} is {article} {kind}; it should be a {wanted}.").format(
        what=what, article=article, kind=kind, wanted=wanted
    )


def not_dense(what: str, layout: str) -> str:
    return _("{what} is {layout}; it should be an ordinary, dense tensor.").format(
        what=what, layout=layout
    )


def other_device(what: str, device: str, wanted: str) -> str:
    return _(
        "{what} is on device {device}, but the input is on {wanted}: "
        "create new tensors with device=x.device."
    ).format(what=what, device=device, wanted=wanted)


def other_shape(what: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    return _("The shape of {what} is {shape}; it should be {wanted}.").format(
        what=what, shape=shape, wanted=wanted
    )


def other_dtype(what: str, dtype: str, wanted: str) -> str:
    return _("The dtype of {what} is {dtype}; it should be {wanted}.").format(
        what=what, dtype=dtype, wanted=wanted
    )
