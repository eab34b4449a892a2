"""Long tensors on their way to a page: base64 of float32."""

from __future__ import annotations

import base64

import torch
from torch import Tensor


def packed(tensor: Tensor) -> str:
    """Base64 of its numbers as little-endian float32, last axis fastest."""
    values = tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4")
    return base64.b64encode(values.tobytes()).decode("ascii")
