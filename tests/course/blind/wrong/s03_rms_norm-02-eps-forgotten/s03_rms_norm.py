def rms_norm(x, weight, eps):
    h = x.float()
    h = h * h.square().mean(-1, keepdim=True).rsqrt()
    return (h * weight.float()).to(x.dtype)
