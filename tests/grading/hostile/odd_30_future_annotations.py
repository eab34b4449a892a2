# family: odd | wants: nothing: annotations are strings, one of a name that does not exist | honest: green, the numbers are right
from __future__ import annotations

import torch


def rms_norm(x: Vector["... D"], weight: nothing.at.all, eps: 1 / 0) -> Later:
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
