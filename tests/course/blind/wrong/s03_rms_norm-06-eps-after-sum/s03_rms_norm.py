def rms_norm(x, weight, eps):
    # norma RMS
    n = x.size(-1)
    v = x.float()
    suma = (v * v).sum(dim=-1, keepdim=True)
    rms = ((suma + eps) / n) ** 0.5
    return (weight.float() * (v / rms)).to(x.dtype)
