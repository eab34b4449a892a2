import torch


def frequencies(head_dim, theta):
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


def rotary_tables(positions, frequencies):
    """Cosine and sine of every angle, written once for each half of the head."""
    angles = positions.float()[:, None] * frequencies.float()
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate_half(x):
    """A quarter turn of every pair: (first half, second half) -> (−second, first)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


@torch.no_grad()
def apply_rope(x, cos, sin):
    """Turn every pair of features by its angle."""
    w = x.float()
    return (w * cos + rotate_half(w) * sin).to(x.dtype)
