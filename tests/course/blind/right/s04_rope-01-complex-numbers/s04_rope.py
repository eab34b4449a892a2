import torch


def frequencies(head_dim, theta):
    return torch.exp(-torch.log(torch.tensor(float(theta))) * torch.arange(0, head_dim, 2).float() / head_dim)


def rotary_tables(positions, frequencies):
    turn = torch.polar(
        torch.ones(len(positions), len(frequencies)),
        torch.outer(positions.float(), frequencies.float()),
    )
    turn = torch.cat([turn, turn], dim=-1)
    return turn.real.clone(), turn.imag.clone()


def rotate_half(x):
    a, b = x.unflatten(-1, (2, -1)).unbind(-2)
    return torch.stack([-b, a], dim=-2).flatten(-2)


def apply_rope(x, cos, sin):
    half = x.shape[-1] // 2
    number = torch.complex(x[..., :half].float(), x[..., half:].float())
    turn = torch.complex(cos[:, :half].float(), sin[:, :half].float())
    out = number * turn
    return torch.cat([out.real, out.imag], dim=-1).to(x.dtype)
