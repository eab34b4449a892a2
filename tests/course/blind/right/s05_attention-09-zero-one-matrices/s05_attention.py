import torch

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    where = torch.arange(n_heads * d, device=x.device).view(n_heads, d)
    return x[..., where].transpose(-2, -3)


def merge_heads(x):
    heads, d = x.shape[-3], x.shape[-1]
    return torch.cat([x.select(-3, i) for i in range(heads)], dim=-1).view(*x.shape[:-3], -1, heads * d)


def repeat_kv(x, n_groups):
    k = x.shape[-3]
    share = torch.eye(k, dtype=x.dtype, device=x.device).repeat_interleave(n_groups, dim=0)  # H K
    return torch.einsum("hk,...ktd->...htd", share, x)


def causal_mask(n_queries, n_keys):
    """Cuántas claves ve cada consulta: T − Q + i + 1."""
    visto = range(n_keys - n_queries + 1, n_keys + 1)
    filas = [[True] * n + [False] * (n_keys - n) for n in visto]
    return torch.tensor(filas, dtype=torch.bool).view(n_queries, n_keys)


def attention_pattern(q, k, mask):
    puntos = torch.einsum("...hqd,...htd->...hqt", q.double(), k.double()) / q.shape[-1] ** 0.5
    puntos[..., ~mask] = -torch.inf
    return puntos.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    class W(dict):
        def __missing__(self, name):
            self[name] = weights[f"self_attn.{name}_proj.weight"].T
            return self[name]

    w = W()
    q = apply_rope(split_heads(x @ w["q"], n_heads), cos, sin)
    k = apply_rope(split_heads(x @ w["k"], n_kv_heads), cos, sin)
    v = split_heads(x @ w["v"], n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    groups = n_heads // n_kv_heads
    pattern = attention_pattern(q, repeat_kv(k, groups), causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(pattern @ repeat_kv(v, groups)) @ w["o"]
