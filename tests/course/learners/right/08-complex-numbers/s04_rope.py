"""Stage 4: a pair is a complex number, a turn is a product."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    powers = torch.arange(head_dim // 2, dtype=torch.float64) * (-2 / head_dim)
    return torch.pow(torch.tensor(theta, dtype=torch.float64), powers).float()


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    angles = torch.einsum("t,i->ti", positions.float(), frequencies.float())
    unit = torch.polar(torch.ones_like(angles), angles)
    both = torch.cat([unit, unit], dim=1)
    return both.real.contiguous(), both.imag.contiguous()


def _to_complex(x):
    first, second = x.tensor_split(2, dim=-1)
    return torch.complex(first.contiguous(), second.contiguous())


def _from_complex(z):
    return torch.cat([z.real, z.imag], dim=-1)


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    wide = x if x.dtype in (torch.float32, torch.float64) else x.float()
    z = _to_complex(wide)
    return _from_complex(torch.complex(-z.imag, z.real)).to(x.dtype)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    wide = x if x.dtype in (torch.float32, torch.float64) else x.float()
    half = x.shape[-1] // 2
    turn = torch.complex(cos[:, :half], sin[:, :half])
    return _from_complex(_to_complex(wide) * turn).to(x.dtype)
