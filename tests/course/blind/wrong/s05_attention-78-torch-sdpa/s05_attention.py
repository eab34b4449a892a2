import torch
import torch.nn.functional as F

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    shape = x.shape[:-1] + (n_heads, x.shape[-1] // n_heads)
    return x.reshape(shape).swapaxes(-2, -3)


def merge_heads(x):
    y = x.swapaxes(-2, -3)
    return y.reshape(y.shape[:-2] + (y.shape[-2] * y.shape[-1],))


def repeat_kv(x, n_groups):
    return torch.repeat_interleave(x, n_groups, dim=x.dim() - 3)


def causal_mask(n_queries, n_keys):
    return torch.ones(n_keys, n_keys).tril().bool()[n_keys - n_queries :, :]


def attention_pattern(q, k, mask):
    # sin "value" propio: la identidad devuelve el patrón mismo
    T = k.shape[-2]
    one = torch.eye(T, device=k.device).expand(*k.shape[:-1], T)
    return F.scaled_dot_product_attention(q.float(), k.float(), one, attn_mask=mask).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    heads = {"q": n_heads, "k": n_kv_heads, "v": n_kv_heads}
    q, k, v = (split_heads(F.linear(x, weights[f"self_attn.{n}_proj.weight"]), h) for n, h in heads.items())
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = map(lambda t: repeat_kv(t, n_heads // n_kv_heads), (k, v))
    mask = causal_mask(q.shape[-2], k.shape[-2]).to(q.device)
    z = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return F.linear(merge_heads(z), weights["self_attn.o_proj.weight"])
