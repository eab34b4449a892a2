import torch


def frequencies(head_dim, theta):
    base = torch.full((head_dim // 2,), float(theta))
    base[0] = 1.0  # θ to the power of 0
    return base ** (-2.0 * torch.arange(head_dim // 2) / head_dim)


def rotary_tables(positions, frequencies):
    phi = positions.float().reshape(-1, 1) * frequencies.float()
    wheel = torch.exp(1j * phi)
    return torch.cat([wheel.real] * 2, dim=1), torch.cat([wheel.imag] * 2, dim=1)


def quarter_turn(d):
    h = d // 2
    R = torch.zeros(d, d)
    R[range(h), range(h, d)] = 1.0
    R[range(h, d), range(h)] = -1.0
    return R


def rotate_half(x):
    R = quarter_turn(x.shape[-1]).to(x.device)
    return torch.matmul(x.float(), R).to(x.dtype)


def apply_rope(x, cos, sin):
    y = x.float()
    return torch.add(y.mul(cos), rotate_half(y).mul(sin)).to(x.dtype)
