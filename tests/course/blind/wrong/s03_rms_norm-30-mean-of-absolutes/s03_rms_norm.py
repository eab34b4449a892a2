def rms_norm(x, weight, eps):
    y = x.float()
    size = y.abs().mean(-1, keepdim=True) + eps
    return (weight.float() * y / size).to(x.dtype)
