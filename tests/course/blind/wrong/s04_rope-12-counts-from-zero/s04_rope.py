import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    T = positions.shape[0]
    t = torch.arange(T, dtype=torch.float32)
    f = torch.outer(t, frequencies)
    emb = torch.cat([f, f], dim=-1)
    return emb.cos(), emb.sin()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
