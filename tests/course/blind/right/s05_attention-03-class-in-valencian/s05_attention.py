import functools
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return rearrange(x, "... t (cap d) -> ... cap t d", cap=n_heads)


def merge_heads(x):
    return rearrange(x, "... cap t d -> ... t (cap d)")


def repeat_kv(x, n_groups):
    return repeat(x, "... cap t d -> ... (cap copia) t d", copia=n_groups)


@functools.cache
def _fila(lloc, n_keys):
    return tuple(j <= lloc for j in range(n_keys))


def causal_mask(n_queries, n_keys):
    files = [_fila(n_keys - n_queries + i, n_keys) for i in range(n_queries)]
    return torch.tensor(files, dtype=torch.bool).reshape(n_queries, n_keys)


def attention_pattern(q, k, mask):
    d = q.shape[-1]
    punts = (q.double() @ k.double().mT) / math.sqrt(d)
    punts = punts.masked_fill(~mask, float("-inf"))
    return punts.softmax(-1).to(q.dtype)


class Atencio:
    def __init__(self, pesos, caps, caps_kv):
        self.pesos = pesos
        self.caps = caps
        self.caps_kv = caps_kv

    def projecta(self, nom, x):
        return torch.nn.functional.linear(x, self.pesos[f"self_attn.{nom}_proj.weight"])

    def __call__(self, x, cos, sin, memoria):
        gira = functools.partial(apply_rope, cos=cos, sin=sin)
        consulta = gira(split_heads(self.projecta("q", x), self.caps))
        clau = gira(split_heads(self.projecta("k", x), self.caps_kv))
        valor = split_heads(self.projecta("v", x), self.caps_kv)
        if memoria is not None:
            clau, valor = memoria.update(clau, valor)
        clau, valor = (repeat_kv(t, self.caps // self.caps_kv) for t in (clau, valor))
        patro = attention_pattern(consulta, clau, causal_mask(consulta.shape[-2], clau.shape[-2]))
        return self.projecta("o", merge_heads(patro @ valor))


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    return Atencio(weights, n_heads, n_kv_heads)(x, cos, sin, cache)
