import torch

_cache = {}


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    key = (len(positions), len(frequencies))
    if key not in _cache:
        freqs = torch.outer(positions.float(), frequencies.float())
        emb = torch.cat((freqs, freqs), dim=-1)
        _cache[key] = (emb.cos(), emb.sin())
    return _cache[key]


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
