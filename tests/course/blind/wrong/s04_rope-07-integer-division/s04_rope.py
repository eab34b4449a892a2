import torch


def frequencies(head_dim, theta):
    two_i = torch.arange(0, head_dim, 2)
    return theta ** -(two_i // head_dim).float()


def rotary_tables(positions, frequencies):
    freqs = torch.outer(positions.float(), frequencies.float())
    emb = torch.cat((freqs, freqs), dim=-1)
    return emb.cos(), emb.sin()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    return (x * cos + rotate_half(x) * sin).type_as(x)
