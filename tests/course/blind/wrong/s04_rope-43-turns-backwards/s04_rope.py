import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    freqs = torch.outer(positions.float(), frequencies.float())
    emb = torch.cat((freqs, freqs), dim=-1)
    return emb.cos(), emb.sin()


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    x1, x2 = x.float().chunk(2, -1)
    c, s = cos[..., : x1.shape[-1]], sin[..., : x1.shape[-1]]
    # rotation matrix [[c, s], [-s, c]]
    return torch.cat([x1 * c + x2 * s, x2 * c - x1 * s], -1).to(x.dtype)
