"""Stage 5 · Grouped-query attention: who looks at whom.

So far every token was alone. Attention is the only place where one token's vector learns
something from another's. Each token asks a question (its query), each token offers an answer to
certain questions (its key), and each has something to hand over (its value).

What goes in, what comes out
----------------------------
`split_heads`               (…, T, H·d)               ->  (…, H, T, d)
`merge_heads`               (…, H, T, d)              ->  (…, T, H·d)
`repeat_kv`                 (…, K, T, d)              ->  (…, H, T, d)
`causal_mask`               Q queries, T keys         ->  (Q, T), True where looking is allowed
`attention_pattern`         queries, keys, mask       ->  (…, H, Q, T), rows of probabilities
`grouped_query_attention`   (…, Q, D) and weights     ->  (…, Q, D)

T   tokens so far                        D   hidden size
Q   new tokens, the last of the T        H   query heads
d   numbers a head                       K   key/value heads; G = H / K query heads share one

                       D     H    K    d
    Aitana-2B-S      2048   16   16   128      H·d = 2048
    SmolLM2-135M      576    9    3    64      H·d =  576,  K·d = 192

With no cache Q = T: all tokens are new. What goes in is not changed (only a cache may grow),
and gradients flow through. A tensor may be cut out of a larger one, so that its numbers don't
lie side by side in memory. docs/pytorch-you-need.md explains products of matrices with axes in
front, the notation of einops, and what "contiguous" means.

Formula
-------
A weight W of shape (out, in) maps x to x Wᵀ: that is how torch and Hugging Face store them.

    q = x W_qᵀ      k = x W_kᵀ      v = x W_vᵀ
    split into heads                       q (…, H, Q, d)     k, v (…, K, Q, d)
    turn q and k, but not v                stage 4
    with a cache: k, v of all T tokens     k, v (…, K, T, d)
    each key/value head G times            k, v (…, H, T, d)
    pattern = softmax( q kᵀ / √d )         (…, H, Q, T)       along the keys, none in the future
    z = pattern · v                        (…, H, Q, d)
    out = (z, heads side by side) W_oᵀ     (…, Q, D)

Splitting heads. One token's H·d numbers are cut into H parts of d. Nothing is mixed; each head
then becomes a matrix (T, d) of its own:

    token 0   [ a a a a │ b b b b ]                 head 0   [ a a a a ]   token 0
    token 1   [ e e e e │ f f f f ]       ->                 [ e e e e ]   token 1
                head 0    head 1
                                                    head 1   [ b b b b ]   token 0
                                                             [ f f f f ]   token 1

Sharing keys and values (K = 3, G = 3, as in SmolLM2). Neighbouring query heads share one:

    query heads        0  1  2    3  4  5    6  7  8
                       └──┼──┘    └──┼──┘    └──┼──┘
    key/value heads       0          1          2

The mask. A row is a query, a column a key; × is allowed. Query i stands at place T − Q + i of
the text, for the queries are the last Q of the T tokens.

    Q = 4, T = 4     0 1 2 3           Q = 2, T = 4     0 1 2 3
         token 0     × · · ·                token 2     × × × ·
         token 1     × × · ·                token 3     × × × ×
         token 2     × × × ·
         token 3     × × × ×

Softmax turns each row of scores s₀, s₁, … into probabilities: e^s_j divided by the sum of all
e^s of the row. A key that is not allowed has the score −∞, and e^−∞ = 0. A very low number in
its place, such as −10,000 or −10⁹, is not the same: the allowed scores may be lower still.
Torch's own softmax may be used here; you write yours in stage 9.

By hand
-------
Two tokens of four numbers, cut into two heads:

>>> import math, torch
>>> x = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
>>> heads = split_heads(x, 2)
>>> heads.tolist()
[[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]]
>>> merge_heads(heads).tolist()
[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]

Two key/value heads, each for two query heads:

>>> repeat_kv(torch.tensor([[[1.0]], [[2.0]]]), 2).flatten().tolist()
[1.0, 1.0, 2.0, 2.0]

The mask on the right above, with 1 for True:

>>> causal_mask(2, 4).int().tolist()
[[1, 1, 1, 0], [1, 1, 1, 1]]

One head, d = 4, so √d = 2. Both queries are (2, 0, 0, 0). The keys are (0, 0, 0, 0) and
(ln 3, 0, 0, 0). The scores are 0/2 = 0 and 2·ln 3/2 = ln 3, and e^0 = 1, e^(ln 3) = 3. So the
second token looks at the first with 1/4 and at itself with 3/4. The first sees only itself.

>>> q = torch.tensor([[[2.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]])
>>> k = torch.tensor([[[0.0, 0.0, 0.0, 0.0], [math.log(3), 0.0, 0.0, 0.0]]])
>>> pattern = attention_pattern(q, k, causal_mask(2, 2))
>>> [[round(number, 4) for number in row] for row in pattern[0].tolist()]
[[1.0, 0.0], [0.25, 0.75]]

The whole of it, small: one head of two numbers, no rotation (cos 1, sin 0), W_q full of zeros.
Then all scores are 0, and each token looks at all tokens up to itself alike. With values and
output left as they are, it receives their mean: (2, 4), then the mean of (2, 4) and (6, 0).

>>> zeros, same = torch.zeros(2, 2), torch.eye(2)
>>> weights = {
...     "self_attn.q_proj.weight": zeros,
...     "self_attn.k_proj.weight": same,
...     "self_attn.v_proj.weight": same,
...     "self_attn.o_proj.weight": same,
... }
>>> x, cos, sin = torch.tensor([[2.0, 4.0], [6.0, 0.0]]), torch.ones(2, 2), torch.zeros(2, 2)
>>> grouped_query_attention(x, weights, cos, sin, n_heads=1, n_kv_heads=1).tolist()
[[2.0, 4.0], [4.0, 2.0]]

Why
---
Attention with heads is from Vaswani and others, 2017 (arXiv 1706.03762). Several heads let a
token look at several places for several reasons at once.

Why √d? The scalar product of two random vectors with d numbers of size about 1 has a size of
about √d. Large scores make a softmax that sees one key alone, and its gradient is almost 0.
Dividing by √d brings the scores back to a size of about 1.

Why no look into the future? The model is trained to guess the next token at every place of a
text at once. If a token could see the next one, there would be nothing to guess.

Why share keys and values? When a model writes, the keys and values of all earlier tokens are
kept (stage 10) and read again for each new token. SmolLM2 keeps 30 layers · 2 · 3 heads · 64 =
11,520 numbers a token; with a key/value head for each query head it would be 34,560. One
key/value head for all is multi-query attention (Shazeer, 2019, arXiv 1911.02150), one for each
is multi-head attention, and grouped-query attention lies between them (Ainslie and others,
2023, arXiv 2305.13245). So K = 1 and K = H are the two ends of the same code. Aitana-2B-S has
K = H = 16, and a mistake in sharing does not show there.

What goes wrong
---------------
- Heads are cut by a reshape that mixes tokens: the shape is right and the numbers are not.
- The heads of the groups alternate (0, 1, 2, 0, 1, 2, …) instead of standing side by side.
- The scores are divided by d, by √D, or not at all. Or twice.
- The mask is upside down, lets a token not even see itself, or always starts at token 0,
  though the queries are the last tokens of a longer text.
- The future gets probability 0 after the softmax, and the rows don't sum to 1 any more. Or it
  gets a low score instead of −∞, and wins where all the others are lower.
- The softmax runs along the queries: columns sum to 1 instead of rows.
- q or k is not rotated; or v is; or k is rotated again each time it comes from the cache.
- An empty cache is taken for no cache. Its length is 0, and an `if` takes that for False.
- The heads are put back in another order than they were taken apart.
- A weight is used without being transposed. Where it is square, the shape does not complain.

Words
-----
head         one of several attentions that run side by side, each on d numbers a token
score        scalar product of a query and a key, divided by √d
pattern      the scores after softmax: how a query divides its attention
cache        the keys and values of earlier tokens, kept so as not to compute them again
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    """Cut each token's vector into heads and put the heads first.

    x:       queries, keys or values; head 0 is the first d numbers of each token, head 1
             the next d, …
    n_heads: how many heads to cut; it divides the length of the vectors
    returns: one (T, d) matrix a head
    """
    raise NotImplementedError


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    """Undo `split_heads`: lay each token's heads side by side again.

    x:       one (T, d) matrix a head
    returns: one vector of H·d numbers a token, head 0 first
    """
    raise NotImplementedError


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    """Hand every key/value head to the query heads of its group.

    x:        keys or values, K heads
    n_groups: G, how many query heads share one key/value head (1 gives x again)
    returns:  H = K·G heads: the first G are head 0, the next G are head 1, …
    """
    raise NotImplementedError


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    """Which key each query may look at: its own token and those before it.

    n_queries: Q
    n_keys:    T, at least Q
    returns:   True where query (row) may look at key (column); dtype bool

    The queries are the last Q of the T tokens, so query i stands at T − Q + i.
    """
    raise NotImplementedError


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    """How much each query looks at each key.

    q, k:    rotated queries and keys, as many heads of each
    mask:    what `causal_mask` returns; the same for all heads
    returns: softmax(Q Kᵀ / √d) over the keys that the mask allows, at the dtype of q; each
             row sums to 1, and what is not allowed is exactly 0, however low the scores are

    Any mask is obeyed, not only a causal one, as long as each row allows at least one key.
    """
    raise NotImplementedError


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    """Attention from the normalised input to its share of the residual stream.

    x:          the normalised input; it is used as it comes, and not added to the result
    weights:    "self_attn.q_proj.weight" (H·d, D), "self_attn.k_proj.weight" and
                "self_attn.v_proj.weight" (K·d, D), "self_attn.o_proj.weight" (D, H·d);
                each maps x to x Wᵀ; there may be other weights beside them
    cos, sin:   the tables of stage 4 for these Q tokens
    n_heads:    H, query heads; d is the number of rows of q_proj / H, which need not be D / H
    n_kv_heads: K, key/value heads; K divides H
    cache:      None, or an object that keeps earlier tokens' keys and values:
                `cache.update(k, v)`, called once, adds these tokens' rotated k and their v,
                both (…, K, Q, d), not repeated, and returns those of all tokens so far,
                (…, K, T, d); these Q tokens are the last of them
    returns:    what attention adds to the residual stream, at the dtype of x
    """
    raise NotImplementedError
