"""Etapa 9: softmax i mostreig."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    ample = logits.to(torch.promote_types(logits.dtype, torch.float32))
    e = (ample - ample.amax(dim, keepdim=True)).exp()
    return (e / e.sum(dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature <= 0.0:
        raise ValueError("cal una temperatura positiva")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    k = min(k, logits.shape[-1])
    frontera = torch.topk(logits, k, dim=-1).values.amin(dim=-1, keepdim=True)
    return torch.where(logits >= frontera, logits, -torch.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    ample = logits.detach().to(torch.promote_types(logits.dtype, torch.float32))
    ordenats, lloc = ample.sort(dim=-1)
    acumulat = softmax(ordenats).cumsum(dim=-1)
    queda = acumulat > 1 - p
    queda[..., -1] = True
    queda = torch.zeros_like(queda).scatter(-1, lloc, queda)
    return torch.where(queda, logits, -torch.inf)


def _tria(probs):
    """Inversa de la funcio de distribucio, una tirada per fila."""
    acumulada = probs.double().cumsum(dim=-1)
    tirada = torch.rand(probs.shape[:-1], dtype=torch.float64).unsqueeze(-1) * acumulada[..., -1:]
    return (acumulada > tirada).int().argmax(dim=-1)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return logits.argmax(dim=-1)
    queden = apply_temperature(logits, temperature)
    if top_k is not None:
        queden = keep_top_k(queden, top_k)
    if top_p is not None:
        queden = keep_top_p(queden, top_p)
    return _tria(softmax(queden.to(torch.promote_types(queden.dtype, torch.float32))))
