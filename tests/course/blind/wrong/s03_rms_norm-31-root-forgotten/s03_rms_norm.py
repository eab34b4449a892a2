def rms_norm(x, weight, eps):
    xf = x.float()
    mean_square = xf.pow(2).mean(dim=-1, keepdim=True) + eps
    return (weight.float() * (xf / mean_square)).to(x.dtype)
