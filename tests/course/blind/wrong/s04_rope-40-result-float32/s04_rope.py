import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    freqs = torch.outer(positions.float(), frequencies.float())
    emb = torch.cat((freqs, freqs), dim=-1)
    return emb.cos(), emb.sin()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(q, cos, sin):
    return q * cos + rotate_half(q) * sin
