def rms_norm(x, weight, eps):
    big = x.float()
    ms = (big**2).mean(-1)
    return (big / (ms + eps).sqrt() * weight.float()).to(x.dtype)
