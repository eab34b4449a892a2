"""Stage 3 · RMSNorm: every token's vector gets the same length.

Layer after layer adds to a token's vector (stage 7), so vectors grow, and some grow more than
others. Before a layer reads a vector, it brings it to a standard length.

What goes in, what comes out
----------------------------
`x`        (…, D)   one vector a token
`weight`   (D,)     γ, one learned factor a feature, called a gain
`eps`      ε        a small number: 0.00001 in Aitana-2B-S and in SmolLM2
returns    (…, D)   as many vectors, at the dtype of `x`

D is 2048 in Aitana-2B-S, 576 in SmolLM2-135M. Each vector is normalised alone: nothing goes
from one token to another. `x` itself stays as it was, and gradients flow through.

docs/pytorch-you-need.md explains broadcasting, `keepdim` and dtypes.

Formula
-------
    RMS(x) = √( (x₁² + x₂² + … + x_D²) / D  +  ε )

    out_i  = γ_i · x_i / RMS(x)

RMS is short for root mean square: the root of the mean of the squares. Without γ and ε every
vector would leave with RMS 1, which is the length √D.

By hand
-------
x = (1, 7), γ = (10, 0.5), ε = 0.

    squares        1, 49
    their mean     25
    its root       5
    x / 5          0.2,  1.4
    times γ        2.0,  0.7

>>> import torch
>>> x, gain = torch.tensor([1.0, 7.0]), torch.tensor([10.0, 0.5])
>>> [round(number, 4) for number in rms_norm(x, gain, 0.0).tolist()]
[2.0, 0.7]

A huge ε shows where it stands. With ε = 24 the root is taken of 25 + 24 = 49, and it is 7:

>>> [round(number, 4) for number in rms_norm(x, torch.ones(2), 24.0).tolist()]
[0.1429, 1.0]

Why
---
LayerNorm (Ba, Kiros and Hinton, 2016, arXiv 1607.06450) subtracts the mean, divides by the
standard deviation, scales and shifts. Zhang and Sennrich (2019, arXiv 1910.07467) left out
the mean and the shift. The results stayed as good and the norm got cheaper. So here nothing
is subtracted: a vector such as (50, 51, 52) keeps its large mean.

The length of the vector is lost, its direction stays. The gains let the model make some
features louder and silence others. A gain may be negative or 0.

ε makes the division possible for a vector of zeros. For usual vectors it changes almost
nothing, which is why a misplaced ε stays hidden for so long.

A model often runs in half precision, float16 or bfloat16. There the squares are a problem.
float16 ends at 65,504, and 300² is already more. bfloat16 keeps two to three digits, and a sum
of 2048 squares loses them. So whatever the dtype of x, the norm is computed in float32, and
the result goes back to the dtype of x.

What goes wrong
---------------
- ε stands at another place than in the formula, or is forgotten.
- The mean is subtracted, out of habit from LayerNorm. Or a standard deviation is taken.
- The squares are summed instead of averaged.
- The mean is taken over the tokens, or over the whole batch, instead of each vector's features.
- The squares are computed before the numbers are in float32: too late.
- The result stays in float32, though x was in half precision.

Words
-----
dtype        how a number is stored: float32, float16, bfloat16, …
feature      one of the D places of a vector
"""

from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    """Divide each vector by its root mean square, then scale each feature.

    x:       vectors, one a token; any axes in front
    weight:  γ, one gain a feature
    eps:     ε, added to the mean square, so that a vector of zeros can be divided
    returns: γ ⊙ x / √(mean(x²) + ε), at the dtype of x (⊙ multiplies place by place)

    The norm is computed in float32 also where x is in half precision. x stays as it was.
    """
    x32 = x.float()  # squares overflow and sums lose digits in half precision
    mean_square = x32.square().mean(dim=-1, keepdim=True)
    normalised = x32 / (mean_square + eps).sqrt()
    return (weight * normalised).to(x.dtype)
