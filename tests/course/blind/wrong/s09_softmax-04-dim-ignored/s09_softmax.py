import torch

MENOS_INFINITO = float("-inf")


def softmax(logits, dim=-1):
    """Siempre sobre el vocabulario."""
    mayor = logits.max(dim=-1, keepdim=True).values
    potencias = (logits - mayor).double().exp()
    return (potencias / potencias.sum(dim=-1, keepdim=True)).to(logits.dtype)


def apply_temperature(logits, temperature):
    if temperature <= 0.0:
        raise ValueError("la temperatura debe ser mayor que 0")
    return logits.div(temperature)


def keep_top_k(logits, k):
    ordenados = logits.sort(dim=-1, descending=True).values
    limite = ordenados[..., min(k, logits.shape[-1]) - 1].unsqueeze(-1)
    return logits.masked_fill(logits < limite, MENOS_INFINITO)


def keep_top_p(logits, p):
    probabilidades = softmax(logits.double())
    ordenadas, lugares = probabilidades.sort(dim=-1, descending=True)
    # lo que suman las mejores que ella
    antes = ordenadas.cumsum(dim=-1) - ordenadas
    if p < 1:
        quedan = antes < p
    else:
        quedan = ordenadas > 0
    quedan[..., 0] = True
    mascara = torch.zeros_like(quedan)
    mascara.scatter_(-1, lugares, quedan)
    return torch.where(mascara, logits, torch.full_like(logits, MENOS_INFINITO))


def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.max(dim=-1).indices
    x = apply_temperature(logits, temperature)
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    acumuladas = softmax(x.double()).cumsum(dim=-1)
    azar = torch.rand(*x.shape[:-1], 1, generator=generator, dtype=torch.float64)
    elegido = torch.searchsorted(acumuladas, azar * acumuladas[..., -1:], right=True)
    return elegido.squeeze(-1)
