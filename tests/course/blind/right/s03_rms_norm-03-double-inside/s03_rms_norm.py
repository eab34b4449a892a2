import torch


def rms_norm(x, weight, eps):
    """Doble precisión por dentro: más exacto que float32."""
    doble = x.double()
    raiz = (doble.square().mean(dim=-1, keepdim=True) + eps).sqrt()
    return (weight.double() * (doble / raiz)).to(x.dtype)
