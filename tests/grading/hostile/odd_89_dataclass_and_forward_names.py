# family: odd | wants: a dataclass in a module that may not stand in sys.modules | honest: green, the numbers are right
from __future__ import annotations

import dataclasses
import typing

import torch


@dataclasses.dataclass
class Options:
    dim: typing.ClassVar[int] = -1
    wide: bool = True


@dataclasses.dataclass(slots=True, kw_only=True)
class More(Options):
    names: list[str] = dataclasses.field(default_factory=list)


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(Options.dim, keepdim=True) + eps)).to(x.dtype)
