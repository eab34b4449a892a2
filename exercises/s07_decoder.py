"""Stage 7 · The decoder: layers that add to one stream.

Now the parts come together. Each token has one vector that travels from the first layer to the
last, and every layer only adds to it. That vector is called the residual stream.

What goes in, what comes out
----------------------------
`layer_weights`   all weights, a layer's number           ->  the weights of that layer
`decoder_layer`   (…, T, D), its weights, cos and sin     ->  (…, T, D)
`decoder`         ids (…, T), all weights, config         ->  (…, T, D)

The weights are a mapping from Hugging Face's names to tensors. All of them, and those of one
layer (number l, counted from 0) as `layer_weights` names them:

    model.embed_tokens.weight                                (V, D)
    model.layers.{l}.input_layernorm.weight                  (D,)
    model.layers.{l}.self_attn.q_proj.weight                 (H·d, D)
    model.layers.{l}.self_attn.k_proj.weight                 (K·d, D)      v_proj alike
    model.layers.{l}.self_attn.o_proj.weight                 (D, H·d)
    model.layers.{l}.post_attention_layernorm.weight         (D,)
    model.layers.{l}.mlp.gate_proj.weight                    (F, D)        up_proj alike
    model.layers.{l}.mlp.down_proj.weight                    (D, F)
    model.norm.weight                                        (D,)          stage 8
    lm_head.weight                                           (V, D)        stage 8

    model.layers.3.mlp.up_proj.weight  ->  mlp.up_proj.weight       of layer 3

The configuration has Hugging Face's names, too: `config.num_hidden_layers` (24 in Aitana-2B-S,
30 in SmolLM2-135M), `num_attention_heads` (H), `num_key_value_heads` (K), `head_dim` (d),
`rms_norm_eps` (ε) and `rope_theta` (θ). What goes in is not changed (only caches may grow), and
gradients flow through. docs/pytorch-you-need.md explains what changes a tensor in place.

Formula
-------
One layer. x is the stream that enters:

    x' = x  + attention( norm₁(x) )             norm₁: input_layernorm
    x" = x' + mlp( norm₂(x') )                  norm₂: post_attention_layernorm

Here x' is the residual stream after attention, and x" the residual stream that leaves.

     x ──●────────────────────────⊕── x' ──●────────────────────────⊕── x" ──►
         │                        │        │                        │
         └─ norm₁ ── attention ───┘        └─ norm₂ ── mlp ─────────┘

The straight line is the stream. Nothing stands on it but two additions. The norms are on the
branches: a branch reads a normalised copy, and what it finds is added to the stream itself.

The decoder:

    x = rows of the embedding table for the ids            stage 2
    positions = 0, 1, …, T − 1, or going on where the caches end
    cos, sin = tables for those positions                  stage 4, once for all layers
    for each layer:  x = layer(x)

By hand
-------
One token, x = (1, 7), ε = 0, all gains 1. It can look only at itself, so attention returns its
own value. With W_v and W_o as they are and an MLP of zeros:

    norm₁(x)                   (0.2, 1.4)             since RMS = 5
    attention                  (0.2, 1.4)
    x' = x + attention         (1.2, 8.4)
    mlp                        (0, 0)
    x"                         (1.2, 8.4)

>>> import torch
>>> from types import SimpleNamespace
>>> zeros, same, ones = torch.zeros(2, 2), torch.eye(2), torch.ones(2)
>>> layer = {
...     "input_layernorm.weight": ones,
...     "self_attn.q_proj.weight": zeros,
...     "self_attn.k_proj.weight": zeros,
...     "self_attn.v_proj.weight": same,
...     "self_attn.o_proj.weight": same,
...     "post_attention_layernorm.weight": ones,
...     "mlp.gate_proj.weight": zeros,
...     "mlp.up_proj.weight": zeros,
...     "mlp.down_proj.weight": zeros,
... }
>>> config = SimpleNamespace(
...     num_hidden_layers=2,
...     num_attention_heads=1,
...     num_key_value_heads=1,
...     head_dim=2,
...     rms_norm_eps=0.0,
...     rope_theta=10_000.0,
... )
>>> x, cos, sin = torch.tensor([[1.0, 7.0]]), torch.ones(1, 2), torch.zeros(1, 2)
>>> out = decoder_layer(x, layer, cos, sin, config)
>>> [[round(number, 4) for number in row] for row in out.tolist()]
[[1.2, 8.4]]

Two such layers, from a token on. The second adds (0.2, 1.4) again, for (1.2, 8.4) has the same
direction:

>>> weights = {f"model.layers.{i}.{name}": w for i in range(2) for name, w in layer.items()}
>>> weights["model.embed_tokens.weight"] = torch.tensor([[0.0, 0.0], [1.0, 7.0]])
>>> sorted(layer_weights(weights, 1)) == sorted(layer)
True
>>> out = decoder(torch.tensor([1]), weights, config)
>>> [[round(number, 4) for number in row] for row in out.tolist()]
[[1.4, 9.8]]

Why
---
Additions around each part are from He, Zhang, Ren and Sun, 2015 (arXiv 1512.03385): a deep
network learns better when a layer only has to say what should change. The gradient runs back
along the straight line without being made smaller. The first transformer (Vaswani and others,
2017, arXiv 1706.03762) normalised the stream itself, after each addition. With the norm on the
branch, before each part ("pre-norm"), training is steadier (Xiong and others, 2020, arXiv
2002.04745). LLaMA (Touvron and others, 2023, arXiv 2302.13971) joined pre-norm, RMSNorm, RoPE
and SwiGLU, and Aitana and SmolLM2 are built that way.

Elhage and others (2021, "A Mathematical Framework for Transformer Circuits") gave the stream
its picture: a line that all parts read from and write to, so that a late layer can read what an
early one wrote.

The stream that leaves the last layer is not normalised here. That is done in stage 8, once.

What goes wrong
---------------
- The output of attention is added to the normalised copy instead of the stream. This is the
  most frequent mistake of all: shapes are right, nothing crashes, all later numbers are wrong.
- The MLP starts from x and not from x', or one of the two additions is missing.
- The two norms of a layer are exchanged. Or one norm serves both, computed only once.
- A norm stands behind attention instead of before it, or the result is normalised at the end.
- The names of layer 1 are found in those of layer 10, too, since they begin alike.
- Angles are made anew in each layer from a position that counts layers. Or the positions start
  at 0 though a cache holds earlier tokens.
- The positions are taken from the length of a cache that has grown in the meantime.
- One cache serves all layers.
- Empty caches are taken for none. What has length 0 counts as False in an `if`.

Words
-----
residual     "what is left over": a part computes the difference that is added, not the whole
branch       a part beside the stream that reads from it and adds to it
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    """One layer's weights, named as they are inside the layer.

    weights: all weights, under Hugging Face's names
    layer:   l, counted from 0
    returns: those of `model.layers.{layer}.`, without that prefix; the same tensors
    """
    raise NotImplementedError


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    """Attention, then the MLP; each reads a normalised copy of the stream and adds to it.

    x:        the residual stream that enters; it stays as it was
    layer:    "input_layernorm.weight", "self_attn.q_proj.weight" (k, v, o alike),
              "post_attention_layernorm.weight", "mlp.gate_proj.weight" (up, down alike)
    cos, sin: the tables of stage 4 for these tokens
    config:   has num_attention_heads, num_key_value_heads and rms_norm_eps
    cache:    None, or this layer's keys and values so far, handed on to attention
    returns:  the residual stream that leaves, at the dtype of x
    """
    raise NotImplementedError


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    """From token ids to the residual stream after the last layer.

    token_ids: the tokens; with caches, only those that the caches have not seen
    weights:   all weights, under Hugging Face's names
    config:    as for `decoder_layer`, and num_hidden_layers, head_dim and rope_theta
    caches:    None, or one cache a layer; `len(caches[0])` tokens came before these (0 at
               first), so these stand at positions len(caches[0]), len(caches[0]) + 1, …
    returns:   the residual stream, not normalised
    """
    raise NotImplementedError
