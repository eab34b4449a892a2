def rms_norm(x, weight, eps):
    d = x.shape[-1]
    u = x.float()
    ms = u.square().sum(-1, keepdim=True) / max(d - 1, 1)
    return (u * (ms + eps).rsqrt() * weight.float()).to(x.dtype)
