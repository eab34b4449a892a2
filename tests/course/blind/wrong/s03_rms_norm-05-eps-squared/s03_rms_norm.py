import torch


def rms_norm(x, weight, eps):
    D = x.shape[-1]
    as_float = x.float()
    # treat eps like one more component
    norm = torch.sqrt(as_float.pow(2).sum(-1, keepdim=True) / D + eps**2)
    return (as_float / norm * weight.float()).to(x.dtype)
