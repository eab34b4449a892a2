import math

import torch


def frequencies(head_dim, theta):
    values = []
    i = 0
    while 2 * i < head_dim:
        values.append(math.pow(theta, -2.0 * i / head_dim))
        i += 1
    return torch.tensor(values, dtype=torch.float32)


def rotary_tables(positions, frequencies):
    def row(m):
        half = float(m) * frequencies.float()
        return torch.cat([half, half])

    d = 2 * frequencies.shape[0]
    angles = [row(m) for m in positions.tolist()]
    table = torch.stack(angles) if angles else torch.zeros(0, d)
    return table.cos(), table.sin()


def rotate_half(x):
    n = x.shape[-1]
    order = [(k + n // 2) % n for k in range(n)]
    signs = torch.tensor([-1] * (n // 2) + [1] * (n // 2)).to(x.dtype).to(x.device)
    return x[..., order] * signs


def apply_rope(x, cos, sin):
    if x.dim() == 2:  # one head: T, d
        lines = [v.float() * c + rotate_half(v.float()) * s for v, c, s in zip(x, cos, sin)]
        return torch.stack(lines).to(x.dtype) if lines else x.clone()
    if x.shape[0] == 0:
        return x.clone()
    return torch.stack([apply_rope(part, cos, sin) for part in x])
