"""Stage 6 · SwiGLU: a gated MLP.

After attention has brought something from other tokens, each token works on its own vector. The
part of a layer that does so is called the MLP, the multi-layer perceptron. It is the largest.

What goes in, what comes out
----------------------------
`silu`     any numbers, any shape        ->  as many
`swiglu`   x        (…, D)    the normalised vectors
           w_gate   (F, D)    W_gate
           w_up     (F, D)    W_up
           w_down   (D, F)    W_down     ->  (…, D)

What goes in is not changed, and gradients flow through. docs/pytorch-you-need.md explains
products of matrices, and how large a number a dtype can hold.

F is how many neurons there are, also called the intermediate size:

                       D      F     F / D
    Aitana-2B-S      2048   5440    2.66
    SmolLM2-135M      576   1536    2.67

Formula
-------
    σ(x)    = 1 / (1 + e^(−x))                    the sigmoid, from 0 to 1
    SiLU(x) = x · σ(x)

    out = ( SiLU(x W_gateᵀ) ⊙ (x W_upᵀ) ) W_downᵀ           ⊙ multiplies place by place

           ┌── W_gate ── SiLU ──┐
    x ─────┤                    ⊙ ── W_down ──► out
           └── W_up ────────────┘
      (D)          (F)         (F)             (D)

Each of the F neurons computes two numbers. One is what it has to add (up), and the other says
how much of it is added (gate). SiLU keeps a large positive number nearly as it is, makes a large
negative one nearly 0, and keeps a little of a small negative one:

    x          −10      −2      −1       0       1       2      10
    SiLU(x)   −0.0005  −0.238  −0.269    0     0.731   1.762   9.9995

Far to the left SiLU is 0, far to the right it is x. But a power of e on the way may be too
large to write: float32 ends at e^88, float16 at e^11.

By hand
-------
D = 2, F = 2, x = (1, 2).

    gate  = (2·1 + 0·2,  0·1 − 1·2) = (2, −2)           rows of W_gate: (2, 0) and (0, −1)
    SiLU  = (1.762, −0.238)
    up    = (1·1 + 1·2,  1·1 + 2·2) = (3, 5)            rows of W_up:   (1, 1) and (1, 2)
    SiLU ⊙ up = (5.285, −1.192)
    out   = (5.285, 10 · −1.192) = (5.285, −11.92)      rows of W_down: (1, 0) and (0, 10)

>>> import torch
>>> [round(number, 3) for number in silu(torch.tensor([-2.0, 0.0, 2.0])).tolist()]
[-0.238, 0.0, 1.762]
>>> w_gate = torch.tensor([[2.0, 0.0], [0.0, -1.0]])
>>> w_up = torch.tensor([[1.0, 1.0], [1.0, 2.0]])
>>> w_down = torch.tensor([[1.0, 0.0], [0.0, 10.0]])
>>> out = swiglu(torch.tensor([1.0, 2.0]), w_gate, w_up, w_down)
>>> [round(number, 3) for number in out.tolist()]
[5.285, -11.92]

Why
---
An MLP without a gate has two matrices, with F = 4 D, and something like max(0, x) between them.
Dauphin and others (2016, arXiv 1612.08083) let one half of the neurons open and close the other
half: the gated linear unit, GLU. Shazeer (2020, arXiv 2002.05202) tried several functions for
the gate inside transformers, and SwiGLU, with SiLU, was among the best. He gives no reason why
it works better, and says so. SiLU is also called Swish (Hendrycks and Gimpel, 2016, arXiv
1606.08415; Ramachandran, Zoph and Le, 2017, arXiv 1710.05941).

Why 8/3? Three matrices with F neurons have 3·F·D weights, two matrices with 4 D neurons have
8·D². Both cost the same when F = 8/3 · D. For SmolLM2 that is 8/3 · 576 = 1536. For Aitana it
would be 5461. 5440 is near it and a multiple of 64, which is faster to compute.

In Aitana-2B-S a layer has 33.4 million weights here and 16.8 million in attention: two of
every three. In SmolLM2-135M, where attention shares its keys and values, it is three of four.

What goes wrong
---------------
- Gate and up are exchanged: the shapes are the same, the numbers are not.
- SiLU is applied to the product of gate and up, or to both of them.
- Another function takes its place: sigmoid alone, ReLU, or GELU, whose curve looks alike.
- The two branches are added instead of multiplied.
- A weight is used without being transposed.
- A power of e overflows for an x far from 0, and the result or its gradient is not a number.
- x is normalised in here as well. It comes normalised.

Words
-----
neuron       one of the F places in the middle of the MLP
MLP          multi-layer perceptron: linear maps with something curved between them
"""

import torch
from jaxtyping import Float
from torch import Tensor


def silu(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """x · σ(x), number by number.

    x:       any finite numbers, any shape
    returns: x / (1 + e^(−x)), a new tensor at the shape and dtype of x; close to x for large
             x and close to 0 for very negative x, never NaN, and its gradient neither
    """
    return x * torch.sigmoid(x)


def swiglu(
    x: Float[Tensor, "... D"],
    w_gate: Float[Tensor, "F D"],
    w_up: Float[Tensor, "F D"],
    w_down: Float[Tensor, "D F"],
) -> Float[Tensor, "... D"]:
    """The MLP of a Llama layer.

    x:       the normalised residual stream, used as it comes; any axes in front
    w_gate:  W_gate, decides how far each of the F neurons opens
    w_up:    W_up, what each neuron carries
    w_down:  W_down, what each neuron writes back
    returns: (SiLU(x W_gateᵀ) ⊙ x W_upᵀ) W_downᵀ, at the dtype of x; x is not added to it
    """
    return (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT
