import torch


def rms_norm(x, weight, eps):
    D = x.shape[-1]
    rows = []
    for row in x.float().reshape(-1, D):
        total = torch.zeros((), device=x.device)
        for number in row:
            total = total + number * number
        rms = (total / D + eps) ** 0.5
        rows.append(torch.stack([g.float() * number / rms for g, number in zip(weight, row)]))
    if not rows:
        return x.clone()
    return torch.stack(rows).reshape(x.shape).to(x.dtype)
