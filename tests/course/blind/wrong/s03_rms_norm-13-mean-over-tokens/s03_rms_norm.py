def rms_norm(x, weight, eps):
    t = x.float()
    scale = (t * t).mean(dim=-2, keepdim=True).add(eps).rsqrt()
    return (t * scale * weight.float()).to(x.dtype)
