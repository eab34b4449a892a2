"""Etapa 9: de las puntuaciones a un token."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    tipo = logits.dtype
    if tipo == torch.float16 or tipo == torch.bfloat16:
        logits = logits.float()
    # restar el mayor para que la exponencial no se desborde
    mayor = logits.detach().max()
    exponenciales = torch.exp(logits - mayor)
    suma = exponenciales.sum(dim=dim, keepdim=True)
    return (exponenciales / suma).to(tipo)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if temperature > 0:
        return logits / temperature
    raise ValueError("la temperatura tiene que ser mayor que 0")


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    cuantos = min(k, logits.size(-1))
    mejores, _ = logits.topk(cuantos, dim=-1)
    limite = mejores.min(dim=-1, keepdim=True).values
    resultado = logits.clone()
    resultado[logits < limite] = -math.inf
    return resultado


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    ordenados, lugares = logits.sort(dim=-1, descending=False)
    acumulado = softmax(ordenados, dim=-1).cumsum(dim=-1)
    fuera = acumulado <= (1.0 - p)
    fuera[..., -1:] = False
    fuera = fuera.scatter(-1, lugares, fuera)
    resultado = logits.clone()
    resultado[fuera] = -math.inf
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
    x = apply_temperature(logits, temperature)
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    forma = x.shape[:-1]
    probabilidades = softmax(x.float(), dim=-1).reshape(-1, x.shape[-1])
    elegidos = torch.multinomial(probabilidades, 1, generator=generator)
    return elegidos.reshape(forma)
