import torch
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Tensor:
    # en doble precisió, i després a float32
    exponents = torch.arange(head_dim // 2, dtype=torch.float64) * (-2 / head_dim)
    return (torch.tensor(theta, dtype=torch.float64) ** exponents).float()


def rotary_tables(positions: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
    angles = torch.einsum("t,f->tf", positions.float(), frequencies.float())
    angles = angles[:, None, :].expand(-1, 2, -1).flatten(1)
    return angles.cos(), angles.sin()


def rotate_half(x: Tensor) -> Tensor:
    quart = torch.tensor([[0, -1], [1, 0]], dtype=torch.float32, device=x.device)
    parelles = x.unflatten(-1, (2, -1)).float()
    return torch.einsum("ij,...jf->...if", quart, parelles).flatten(-2).to(x.dtype)


def apply_rope(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    meitat = x.shape[-1] // 2
    c, s = cos[:, :meitat].float(), sin[:, :meitat].float()
    girs = torch.stack([torch.stack([c, -s]), torch.stack([s, c])])  # 2 2 T d/2
    parelles = x.float().unflatten(-1, (2, meitat))  # ... T 2 d/2
    return torch.einsum("ijtf,...tjf->...tif", girs, parelles).flatten(-2).to(x.dtype)
