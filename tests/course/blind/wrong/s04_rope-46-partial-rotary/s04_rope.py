import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    rot = x.shape[-1] // 4 * 2
    if rot == 0:
        rot = x.shape[-1]
    turned = x.float() * cos + rotate_half(x.float()) * sin
    mask = torch.arange(x.shape[-1]) % (x.shape[-1] // 2) < rot // 2
    return torch.where(mask, turned, x.float()).to(x.dtype)
