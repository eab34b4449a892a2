"""Etapa 9: suma acumulada, comparacions de tots amb tots, i cada fila a soles."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    if logits.dim() == 0:
        return softmax(logits.unsqueeze(0), 0).squeeze(0)
    ample = logits if logits.dtype == torch.float64 else logits.to(torch.float32)
    pujat = ample.transpose(dim, -1)
    e = (pujat - pujat.detach().max(dim=-1, keepdim=True).values).exp()
    tot = e.cumsum(dim=-1)[..., -1:]
    return (e / tot).transpose(dim, -1).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature <= 0 or math.isnan(temperature):
        raise ValueError("la temperatura ha de ser més gran que 0")
    return logits / temperature


def _per_files(funcio, logits):
    """Aplica la funció a cada fila (V,) i torna a muntar els eixos de davant."""
    files = logits.reshape(-1, logits.shape[-1]).unbind(0)
    if len(files) == 0:
        return logits.clone()
    return torch.stack([funcio(fila) for fila in files]).reshape(logits.shape)


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    def una(fila):
        valors = sorted(fila.tolist(), reverse=True)
        frontera = valors[: k][-1]
        return torch.where(fila < frontera, -math.inf, fila)

    return _per_files(una, logits)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    def una(fila):
        ample = fila.detach() if fila.dtype == torch.float64 else fila.detach().float()
        probs = softmax(ample)
        ordre = ample.argsort()
        talla = int((probs[ordre].cumsum(0) <= 1 - p).sum())
        talla = min(talla, len(ordre) - 1)
        return fila.index_fill(0, ordre[:talla], -math.inf)

    return _per_files(una, logits)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    files = logits.detach().reshape(-1, logits.shape[-1])
    if temperature == 0:
        triats = [int(fila.argmax()) for fila in files]
    else:
        queden = apply_temperature(files, temperature)
        queden = keep_top_k(queden, top_k) if top_k is not None else queden
        queden = keep_top_p(queden, top_p) if top_p is not None else queden
        probs = softmax(queden.double())
        triats = [torch.multinomial(fila, 1, generator=generator).item() for fila in probs]
    return torch.tensor(triats, dtype=torch.int64, device=logits.device).reshape(logits.shape[:-1])
