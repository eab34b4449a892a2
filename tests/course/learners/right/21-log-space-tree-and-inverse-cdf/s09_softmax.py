"""Etapa 9: todo en logaritmos, sumados por mitades; el sorteo con la función inversa."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

NUNCA = -float("inf")


def _ancho(x):
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _log_suma(x):
    """log Σ e^x sobre el primer eje: la primera mitad con la segunda, y otra vez."""
    n = x.shape[0]
    if n == 1:
        return x
    mitad = n // 2
    pares = torch.logaddexp(x[:mitad], x[mitad : 2 * mitad])
    return _log_suma(torch.cat([pares, x[2 * mitad :]]))


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    if logits.dim() == 0:
        return softmax(logits.reshape(1)).reshape(())
    x = logits.double().movedim(dim, 0)
    x = x - x.detach().amax(dim=0)
    # -inf + -inf no tiene gradiente: en la suma, un numero finito muy bajo en su lugar
    bajo = torch.finfo(x.dtype).min / 4
    log_p = x - _log_suma(x.clamp(min=bajo))
    return log_p.exp().movedim(0, dim).to(logits.dtype)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    if not temperature > 0:
        raise ValueError("temperature")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    x = _ancho(logits.detach()).contiguous()
    subida = x.sort(dim=-1).values
    mejores_que_yo = x.shape[-1] - torch.searchsorted(subida, x, right=True)
    return logits.masked_fill(mejores_que_yo >= k, NUNCA)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    ancho = _ancho(logits.detach())
    filas = ancho.reshape(-1, ancho.shape[-1])
    cortado = torch.zeros_like(filas, dtype=torch.bool)
    for n, fila in enumerate(softmax(filas).tolist()):
        suma = 0.0
        # de la peor a la mejor, que no se toca; para en cuanto la suma pasa de 1 - p
        for i in sorted(range(len(fila)), key=filas[n].tolist().__getitem__)[:-1]:
            suma += fila[i]
            if suma > 1 - p:
                break
            cortado[n, i] = True
    return logits.masked_fill(cortado.view(logits.shape), NUNCA)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    if temperature == 0:
        return logits.max(dim=-1).indices
    quedan = apply_temperature(logits, temperature)
    quedan = quedan if top_k is None else keep_top_k(quedan, top_k)
    quedan = quedan if top_p is None else keep_top_p(quedan, top_p)
    probs = softmax(quedan.double())
    hasta = probs.cumsum(dim=-1)
    dado = torch.rand(probs.shape[:-1], generator=generator, dtype=torch.float64)
    dado = dado.to(probs.device).unsqueeze(-1) * hasta[..., -1:]
    # la primera cuya suma pasa del dado; nunca mas alla de la ultima posible
    primera = (hasta <= dado).sum(dim=-1)
    ultima = probs.shape[-1] - 1 - (probs.flip(-1) > 0).int().argmax(dim=-1)
    return torch.minimum(primera, ultima)
