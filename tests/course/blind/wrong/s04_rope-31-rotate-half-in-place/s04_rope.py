import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    """Cosine and sine of every angle, written once for each half of the head."""
    angles = positions.float()[:, None] * frequencies.float()
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate_half(x):
    h = x.shape[-1] // 2
    first = x[..., :h].clone()
    x[..., :h] = -x[..., h:]
    x[..., h:] = first
    return x


def apply_rope(x, cos, sin):
    y = x.float()
    turned = rotate_half(y.clone())
    return (y * cos + turned * sin).to(x.dtype)
