from math import sqrt


def rms_norm(x, weight, eps):
    x = x.float()
    length = x.norm(dim=-1, keepdim=True)
    rms = length / sqrt(x.shape[-1])
    return weight.float() * x / (rms + eps)
