"""Right ways to write stage 5 that look different."""

# ruff: noqa: F821 - the functions of the stage file are theirs to see
import math

import torch
from einops import einsum, rearrange
from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("split_heads", "by view and transpose")
def view_and_transpose(x, n_heads):
    return x.view(*x.shape[:-1], n_heads, x.shape[-1] // n_heads).transpose(-3, -2)


@rewrite("split_heads", "by chunk and stack")
def chunk_and_stack(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


@rewrite("merge_heads", "by transpose and reshape")
def transpose_and_reshape(x):
    x = x.transpose(-3, -2).contiguous()
    return x.view(*x.shape[:-2], -1)


@rewrite("merge_heads", "by laying heads side by side in a loop")
def side_by_side(x):
    return torch.cat([x[..., head, :, :] for head in range(x.shape[-3])], dim=-1)


@rewrite("repeat_kv", "by repeat_interleave")
def by_repeat_interleave(x, n_groups):
    return torch.repeat_interleave(x, n_groups, dim=-3)


@rewrite("repeat_kv", "by expand, as transformers does")
def by_expand(x, n_groups):
    if n_groups == 1:
        return x
    *batch, n_heads, length, d = x.shape
    x = x[..., None, :, :].expand(*batch, n_heads, n_groups, length, d)
    return x.reshape(*batch, n_heads * n_groups, length, d)


@rewrite("repeat_kv", "by indexing")
def by_index(x, n_groups):
    return x[..., torch.arange(x.shape[-3] * n_groups) // n_groups, :, :]


@rewrite("causal_mask", "by comparing positions")
def comparing_positions(n_queries, n_keys):
    return torch.arange(n_keys) <= torch.arange(n_keys - n_queries, n_keys)[:, None]


@rewrite("causal_mask", "the last rows of a square one")
def last_rows(n_queries, n_keys):
    return ~torch.triu(torch.ones(n_keys, n_keys), diagonal=1).bool()[n_keys - n_queries :]


@rewrite("causal_mask", "by a loop")
def by_a_loop(n_queries, n_keys):
    mask = torch.zeros(n_queries, n_keys, dtype=torch.bool)
    for i in range(n_queries):
        mask[i, : n_keys - n_queries + i + 1] = True
    return mask


@rewrite("attention_pattern", "by the lowest number of the dtype, added")
def low_number_added(q, k, mask):
    scores = (q @ k.transpose(-2, -1)) / q.size(-1) ** 0.5
    return F.softmax(scores + (~mask).to(q.dtype) * torch.finfo(q.dtype).min, dim=-1)


@rewrite("attention_pattern", "by the lowest number of the dtype")
def lowest_number(q, k, mask):
    scores = torch.einsum("...qd,...kd->...qk", q, k) * q.shape[-1] ** -0.5
    return torch.where(mask, scores, torch.finfo(scores.dtype).min).softmax(-1)


@rewrite("attention_pattern", "only over the allowed keys, row by row")
def allowed_keys_alone(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    rows = []
    for row, allowed in zip(scores.unbind(-2), mask, strict=True):
        weights = torch.zeros_like(row)
        weights[..., allowed] = row[..., allowed].softmax(dim=-1)
        rows.append(weights)
    return torch.stack(rows, dim=-2)


@rewrite("attention_pattern", "queries scaled first, softmax in float32, as transformers does")
def softmax_in_float32(q, k, mask):
    d = q.shape[-1]
    bias = torch.zeros(mask.shape, dtype=q.dtype).masked_fill_(mask.logical_not(), float("-inf"))
    return F.softmax((q / d**0.5) @ k.mT + bias, dim=-1, dtype=torch.float32).to(q.dtype)


@rewrite("attention_pattern", "softmax by hand, in float64")
def by_hand_in_float64(q, k, mask):
    scores = einsum(q.double(), k.double(), "... q d, ... k d -> ... q k") / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask, -torch.inf)
    powers = (scores - scores.amax(-1, keepdim=True)).exp()
    return (powers / powers.sum(-1, keepdim=True)).to(q.dtype)


@rewrite("attention_pattern", "row by row, over the allowed keys only")
def row_by_row(q, k, mask):
    rows = []
    for i in range(q.shape[-2]):
        allowed = mask[i].nonzero().flatten()
        scores = (q[..., i : i + 1, :] * k[..., allowed, :]).sum(-1) / math.sqrt(q.shape[-1])
        row = torch.zeros(*k.shape[:-1], dtype=q.dtype)
        rows.append(row.index_copy(-1, allowed, scores.softmax(-1)))
    return torch.stack(rows, dim=-2)


@rewrite("grouped_query_attention", "without repeating anything, by einsum over groups")
def by_groups(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k=k, v=v)
    q = rearrange(q, "... (K G) Q d -> ... K G Q d", K=n_kv_heads)
    scores = einsum(q, k, "... K G Q d, ... K T d -> ... K G Q T") / q.shape[-1] ** 0.5
    mask = causal_mask(q.shape[-2], k.shape[-2])
    pattern = torch.where(mask, scores, -torch.inf).softmax(-1)
    z = einsum(pattern, v, "... K G Q T, ... K T d -> ... K G Q d")
    z = rearrange(z, "... K G Q d -> ... Q (K G d)")
    return einsum(z, weights["self_attn.o_proj.weight"], "... z, D z -> ... D")


@rewrite("grouped_query_attention", "head by head, in a loop")
def head_by_head(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    w = {p: weights[f"self_attn.{p}_proj.weight"] for p in "qkvo"}
    d = w["q"].shape[0] // n_heads
    k = torch.stack([x @ rows.mT for rows in w["k"].split(d)], dim=-3)
    v = torch.stack([x @ rows.mT for rows in w["v"].split(d)], dim=-3)
    k = apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    out = 0
    for head in range(n_heads):
        rows = slice(head * d, (head + 1) * d)
        shared = head // (n_heads // n_kv_heads)
        q = apply_rope((x @ w["q"][rows].mT).unsqueeze(-3), cos, sin)
        mine, value = k[..., shared : shared + 1, :, :], v[..., shared, :, :]
        pattern = attention_pattern(q, mine, causal_mask(x.shape[-2], k.shape[-2])).squeeze(-3)
        out = out + pattern @ value @ w["o"][:, rows].mT
    return out


@rewrite("grouped_query_attention", "in float64")
def in_float64(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    w = {p: weights[f"self_attn.{p}_proj.weight"].double() for p in "qkvo"}
    q, k, v = (x.double() @ w[p].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = (heads.double() for heads in cache.update(k.to(x.dtype), v.to(x.dtype)))
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return (merge_heads(z) @ w["o"].mT).to(x.dtype)


@rewrite("grouped_query_attention", "no mask for a single new token, weights side by side")
def one_product(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    w = torch.cat([weights[f"self_attn.{p}_proj.weight"] for p in "qkv"])
    d = cos.shape[-1]
    heads = (x @ w.mT).view(*x.shape[:-1], -1, d).transpose(-2, -3)
    q, k, v = heads.split([n_heads, n_kv_heads, n_kv_heads], dim=-3)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = cache.update(k, v) if cache is not None else (k, v)
    groups = n_heads // n_kv_heads
    k, v = k.repeat_interleave(groups, -3), v.repeat_interleave(groups, -3)
    scores = q @ k.mT * d**-0.5
    if (new := x.shape[-2]) > 1:
        hidden = torch.ones(new, k.shape[-2], dtype=torch.bool).triu(k.shape[-2] - new + 1)
        scores = scores.masked_fill(hidden, -math.inf)
    z = torch.softmax(scores, dim=-1) @ v
    return z.transpose(-2, -3).reshape(*x.shape[:-1], -1) @ weights["self_attn.o_proj.weight"].T
