def rms_norm(x, weight, eps):
    gains = weight.float().abs()  # a gain is a loudness
    y = x.float()
    norm = (y.square().mean(-1, keepdim=True) + eps).sqrt()
    return (gains * y / norm).to(x.dtype)
