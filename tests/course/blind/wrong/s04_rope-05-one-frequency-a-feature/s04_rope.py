import torch


def frequencies(head_dim, theta):
    return 1 / theta ** (torch.arange(head_dim).float() / head_dim)


def rotary_tables(positions, frequencies):
    freqs = torch.outer(positions.float(), frequencies.float())
    emb = torch.cat((freqs, freqs), dim=-1)
    return emb.cos(), emb.sin()


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
