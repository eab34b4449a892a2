"""Etapa 9: de puntos a un token."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

MENOS_INF = -float("inf")


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    ancho = logits.double()
    maximo, _ = ancho.max(dim=dim, keepdim=True)
    potencias = torch.exp(ancho - maximo)
    return (potencias / potencias.sum(dim=dim, keepdim=True)).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature > 0:
        return logits / temperature
    raise ValueError("la temperatura debe ser mayor que 0")


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    k = min(k, logits.size(-1))
    peor = logits.topk(k).values.min(dim=-1, keepdim=True).values
    resultado = logits
    resultado[logits < peor] = MENOS_INF
    return resultado


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    resultado = logits.clone()
    orden = logits.float().argsort(dim=-1)
    probs = softmax(logits.float()).gather(-1, orden)
    fuera = torch.cumsum(probs, dim=-1) <= 1 - p
    fuera[..., -1] = False
    fuera_en_su_sitio = torch.empty_like(fuera)
    fuera_en_su_sitio.scatter_(-1, orden, fuera)
    resultado[fuera_en_su_sitio] = MENOS_INF
    return resultado


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return logits.argmax(-1)
    quedan = apply_temperature(logits, temperature)
    if top_k is not None:
        quedan = keep_top_k(quedan, top_k)
    if top_p is not None:
        quedan = keep_top_p(quedan, top_p)
    filas = softmax(quedan.float()).reshape(-1, quedan.shape[-1])
    elegidos = torch.multinomial(filas, num_samples=1, generator=generator)
    return elegidos.reshape(quedan.shape[:-1])
