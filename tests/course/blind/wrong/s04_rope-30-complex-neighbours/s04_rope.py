# like meta-llama's model.py
import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    half = x.shape[-1] // 2
    freqs_cis = torch.complex(cos[:, :half].float(), sin[:, :half].float())
    x_ = torch.view_as_complex(x.float().contiguous().view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(x_ * freqs_cis).flatten(-2).type_as(x)
