import torch


def frequencies(head_dim, theta):
    return torch.as_tensor([theta ** -(k / head_dim) for k in range(0, head_dim, 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    """La posición por la frecuencia, dos veces."""
    angulos = positions.float().reshape(-1, 1) * frequencies.float().reshape(1, -1)
    return tuple(torch.cat(2 * [f(angulos)], dim=1) for f in (torch.cos, torch.sin))


def rotate_half(x):
    medio = x.shape[-1] // 2
    signo = torch.ones(x.shape[-1], dtype=x.dtype, device=x.device)
    signo[:medio] = -1
    return torch.roll(x, medio, dims=-1) * signo


def apply_rope(x, cos, sin):
    return torch.addcmul(x.float() * cos, rotate_half(x).float(), sin).to(x.dtype)
