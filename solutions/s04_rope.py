"""Stage 4 · RoPE: a position is a rotation.

Attention (stage 5) compares a query with keys by scalar products. A scalar product does not
know where its two vectors stand in the text. RoPE, rotary position embedding, turns each
vector by an angle that grows with its position. After that, the product knows the distance.

What goes in, what comes out
----------------------------
`frequencies`     head size d, base θ           ->  d/2 angles, one for each pair of features
`rotary_tables`   T positions, d/2 frequencies  ->  two tables (T, d): cos and sin
`rotate_half`     (…, d)                        ->  (…, d), every pair turned by 90°
`apply_rope`      (…, H, T, d), both tables     ->  (…, H, T, d), every pair turned by its angle

H is how many heads there are, and d how many numbers each has (stage 5 makes them). In
Aitana-2B-S d = 128 and θ = 10,000; in SmolLM2-135M d = 64 and θ = 100,000. What goes in is not
changed, and gradients flow through. docs/pytorch-you-need.md explains how a column and a row of
numbers give a table, and how to cut an axis from its end.

Formula
-------
A head has d numbers, which are d/2 pairs. Which numbers form a pair? In Llama models number i
goes with number i + d/2: one from the first half, one from the second.

             first half              second half
        ┌───────────────────┐   ┌───────────────────┐
    x = ( x₀   x₁   x₂   x₃       x₄   x₅   x₆   x₇   )
          └────┼────┼────┼────────┘    │    │    │        pair 0 turns by m·θ₀
               └────┼────┼─────────────┘    │    │        pair 1 turns by m·θ₁
                    └────┼──────────────────┘    │        pair 2 turns by m·θ₂
                         └───────────────────────┘        pair 3 turns by m·θ₃

m is the position of the token, and pair i turns by θ_i from one position to the next:

    θ_i = θ^(−2i/d)       i = 0, 1, …, d/2 − 1       (in radians)

A pair (a, b) that is turned by the angle φ = m·θ_i, as a point of the plane around 0:

    a' = a cos φ − b sin φ
    b' = b cos φ + a sin φ

For all pairs at once, place by place (⊙):

    RoPE(x) = x ⊙ cos  +  rotate_half(x) ⊙ sin

where rotate_half puts (−b, a) in the place of each (a, b). Both a and b need the same angle,
so a row of the cos table is the d/2 cosines and then, side by side, the same d/2 once more.
The sin table is made alike.

    row m of cos = ( cos mθ₀  cos mθ₁  …  cos mθ_last │ cos mθ₀  cos mθ₁  …  cos mθ_last )

By hand
-------
d = 4 and θ = 100: θ₀ = 100^0 = 1 and θ₁ = 100^(−2/4) = 1/10.

>>> import math, torch
>>> [round(number, 4) for number in frequencies(4, 100.0).tolist()]
[1.0, 0.1]

Rows for the positions 0 and 3: the angles 0, 0 and 3, 0.3, each twice.

>>> cos, sin = rotary_tables(torch.tensor([0, 3]), torch.tensor([1.0, 0.1]))
>>> [[round(number, 2) for number in row] for row in sin.tolist()]
[[0.0, 0.0, 0.0, 0.0], [0.14, 0.3, 0.14, 0.3]]

x = (1, 2, 3, 4) has the pairs (1, 3) and (2, 4). A quarter turn makes (−3, 1) and (−4, 2) of
them. Back in their places:

>>> rotate_half(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist()
[-3.0, -4.0, 1.0, 2.0]

Now let the first pair turn by 90° a position and the second not at all. At position 0 nothing
moves; at position 1 the pair (1, 3) becomes (−3, 1).

>>> cos, sin = rotary_tables(torch.tensor([0, 1]), torch.tensor([math.pi / 2, 0.0]))
>>> x = torch.tensor([[[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]]])  # one head, two tokens
>>> [[round(number, 4) for number in row] for row in apply_rope(x, cos, sin)[0].tolist()]
[[1.0, 2.0, 3.0, 4.0], [-3.0, 2.0, 1.0, 4.0]]

Why
---
Su, Lu, Pan, Murtadha, Wen and Liu, 2021 (arXiv 2104.09864). Turn a query at position m by mφ
and a key at position n by nφ. The angle between them changes by (m − n)φ, so their scalar
product depends on the distance m − n and not on m or n themselves. Nothing is learned, nothing
is added to the vectors, and their lengths stay.

The pairs turn at different speeds, as the hands of a clock do. In Aitana-2B-S the first pair
turns by 1 radian a token: a full turn takes 6 tokens, and positions that are near each other
get very different angles. The last turns by 10,000^(−126/128) ≈ 0.000115 and needs 54,000 tokens
for a full turn: with it, positions that are far apart differ. A larger θ gives slower hands, for
longer texts.

The paper pairs neighbours: (x₀, x₁), (x₂, x₃), … The checkpoints of Llama models in Hugging
Face's format pair halves, as drawn above. Both work for a model that was trained with them,
but never mixed: the weights of the one are nonsense in the other.

Angles are computed in float32, whatever the model runs in. bfloat16 can't even write the
position 257. The tables stay in float32, too, when they meet an x in half precision. A cosine
that is rounded to bfloat16 is off by up to 0.2 % for all heads alike, and the roundings of the
results can't make up for it. (Some libraries round it there all the same. Here that is wrong.)

What goes wrong
---------------
- Neighbours are taken as pairs, or the angles stand in the tables in the wrong order for halves.
- The minus sign stands at the wrong half: everything turns backwards.
- The exponent is wrong: i/d for 2i/d, or d/2 where d should stand.
- The positions always count from 0, although the tokens come later in the text (stage 10).
- The positions run along the axis of heads instead of the axis of tokens. With as many heads
  as tokens nobody notices.
- Values are turned too. Only queries and keys are (that is stage 5's business).
- In half precision the result comes back in float32, or the tables are rounded to the dtype
  of x before they are used.

Words
-----
radian       an angle; a full turn is 2π ≈ 6.28 radians
pair         two numbers of a head that are turned together, as a point of the plane
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    """How far each pair of features turns from one position to the next.

    head_dim: d, even
    theta:    θ, the base of the powers (Aitana-2B-S 10 000, SmolLM2 100 000)
    returns:  θ_i = θ^(−2i/d) for i = 0 … d/2 − 1, in radians a position, float32
    """
    return 1.0 / theta ** (torch.arange(0, head_dim, 2).float() / head_dim)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    """Cosine and sine of every angle, written once for each half of the head.

    positions:   m, where each token stands; any whole numbers in any order, they need not
                 start at 0
    frequencies: θ_i, what `frequencies` returns
    returns:     (cos mθ, sin mθ), float32; row t belongs to positions[t] and holds its d/2
                 numbers twice, side by side: 0 … d/2 − 1, then 0 … d/2 − 1 again
    """
    angles = positions[:, None] * frequencies
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    """A quarter turn of every pair: (first half, second half) -> (−second, first).

    x:       any axes in front; d is even
    returns: a new tensor of the same shape and dtype
    """
    first, second = x.chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    """Turn every pair of features by its angle.

    x:        queries or keys, split into heads: token t of every head is x[..., t, :]
    cos, sin: what `rotary_tables` returns; the same for every head
    returns:  the rotated heads, computed with the tables in float32, whatever the dtype of x,
              and only then brought to it
    """
    return (x * cos + rotate_half(x) * sin).to(x.dtype)
