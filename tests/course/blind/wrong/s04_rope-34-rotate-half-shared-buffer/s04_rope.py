import torch

_buffers = {}


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x):
    key = (x.shape, x.dtype)
    if key not in _buffers:
        _buffers[key] = torch.empty(x.shape, dtype=x.dtype)
    half = x.shape[-1] // 2
    with torch.no_grad():
        torch.cat((-x[..., half:], x[..., :half]), dim=-1, out=_buffers[key])
    return _buffers[key]


def apply_rope(x, cos, sin):
    y = x.float()
    h = y.shape[-1] // 2
    a, b = y[..., :h], y[..., h:]
    return (y * cos + torch.cat((-b, a), -1) * sin).to(x.dtype)
