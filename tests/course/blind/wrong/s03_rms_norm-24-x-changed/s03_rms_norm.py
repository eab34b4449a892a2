def rms_norm(x, weight, eps):
    v = x.float()
    rms = (v * v).mean(dim=-1, keepdim=True).add(eps).sqrt()
    v /= rms
    v = v * weight.float()
    return v.to(x.dtype)
