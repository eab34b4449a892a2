"""Stage 9 · Softmax and sampling: from scores to one token.

There is a logit for each token now. Softmax makes probabilities of them, and then one token is
chosen: the best, or one by chance. Temperature, top-k and top-p say how much is left to chance.

What goes in, what comes out
----------------------------
`softmax`             logits, any shape; an axis   ->  probabilities, the same shape
`apply_temperature`   logits (…, V), temperature   ->  logits (…, V)
`keep_top_k`          logits (…, V), k             ->  logits (…, V), −∞ where cut
`keep_top_p`          logits (…, V), p             ->  logits (…, V), −∞ where cut
`sample`              logits (…, V), all these     ->  token ids (…)

The logits that go in are not changed; in all but `sample`, gradients flow through.
docs/pytorch-you-need.md explains `keepdim`, masks, `gather` and `scatter`.

Formula
-------
Softmax, for the logits x₁ … x_V:

    p_i = e^(x_i) / ( e^(x_1) + … + e^(x_V) )

All p_i are between 0 and 1, and they sum to 1. A constant added to all logits changes nothing:
e^(x + c) = e^x · e^c, and a fraction stays the same when both its parts are multiplied by e^c.
That matters, for e^x alone overflows in float32 as soon as x is above 88, and logits may be
larger.

Temperature T:   x_i / T.      T below 1 sharpens, T above 1 flattens, T = 1 changes nothing.

Top-k: the k best tokens keep their logits. All others get −∞, so that their probability is 0.
What ties with the k-th best stays.

Top-p: order the tokens from the best to the worst, and add up their probabilities. Keep the
fewest of the best that reach p together; the token that crosses p is the last one kept. The
same from the other end, as transformers defines it: from the worst up, a token is cut if it and
all the worse ones together have a probability of at most 1 − p. The best token always stays.

    tokens, best first       0.625     0.25     0.125          p = 0.8
    together                 0.625     0.875    1
                             keep      keep     cut
    from the worst up                           0.125  ≤ 0.2: cut
                                       0.375    > 0.2: keep

`sample` does it in the order of transformers: temperature, then top-k, then top-p on what is
left, then softmax, then one token by chance, each as likely as its probability says. With
temperature 0 there is no chance: the best token is taken ("greedy").

By hand
-------
The logits ln 1, ln 2, ln 5 are easy, for e^(ln n) = n. The sum is 1 + 2 + 5 = 8:

>>> import torch
>>> logits = torch.tensor([1.0, 2.0, 5.0]).log()
>>> [round(number, 4) for number in softmax(logits).tolist()]
[0.125, 0.25, 0.625]

Two equal logits share the probability, however large they are:

>>> softmax(torch.tensor([1000.0, 1000.0])).tolist()
[0.5, 0.5]

T = 1/2 doubles the logits, which squares the numbers: 1, 4, 25, of 30.

>>> [round(number, 4) for number in softmax(apply_temperature(logits, 0.5)).tolist()]
[0.0333, 0.1333, 0.8333]

The two best, and then the fewest that reach 0.5, which is the best alone:

>>> [round(number, 4) for number in keep_top_k(logits, 2).tolist()]
[-inf, 0.6931, 1.6094]
>>> [round(number, 4) for number in keep_top_p(logits, 0.5).tolist()]
[-inf, -inf, 1.6094]

The best token is number 2. By chance, token 0 comes in about one of eight draws:

>>> sample(logits, temperature=0).item()
2
>>> generator = torch.Generator().manual_seed(1)
>>> drawn = sample(logits.expand(8000, 3), generator=generator)
>>> bool(900 < (drawn == 0).sum() < 1100)
True

Why
---
Softmax comes from physics, where Boltzmann wrote it for energies and a temperature. Bridle
(1990) gave it its name and put it at the end of neural networks. It is smooth, so a model can
learn through it, and it turns differences of logits into ratios of probabilities.

The best token each time gives texts that repeat themselves. Drawing from all 256,000 tokens
gives texts that make no sense, since very many bad tokens have a good chance together. So the tail
is cut. Top-k (Fan, Lewis and Dauphin, 2018, arXiv 1805.04833) keeps a fixed number. Top-p, or
nucleus sampling (Holtzman, Buys, Du, Forbes and Choi, 2019, arXiv 1904.09751), keeps few tokens
where the model is sure and many where it is not.

What goes wrong
---------------
- e^x overflows for large logits, and ∞/∞ is not a number.
- Softmax runs along the wrong axis, or over all numbers at once, as soon as there is a batch.
- The logits are multiplied by the temperature.
- Cut tokens get logit 0. But e^0 = 1: they can still be drawn. Or they get a very low number such
  as −10⁹, and the tokens that are kept may be lower still. Cut means −∞.
- The logits that are kept come back sorted, or as probabilities. They keep place and value.
- Top-p cuts the token that crosses p. With p = 0.5 and a token of 0.625, nothing is left.
- Top-p compares logits with p, or adds up probabilities of tokens in the wrong order.
- Top-p is computed on the probabilities before top-k or before the temperature.
- Top-k fails for a k larger than the vocabulary, or cuts one of two equal tokens.
- Temperature 0 divides by 0.

Words
-----
greedy       always the best token
to draw      to choose by chance
generator    torch's source of chance; with the same seed it gives the same numbers again
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def softmax(logits: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    """Scores become probabilities.

    logits:  any numbers; −∞ means impossible and gets 0, as long as not all are −∞
    dim:     the axis that sums to 1
    returns: e^x / Σ e^x along `dim`, also where e^x alone would overflow or the logits are in
             the millions: only their differences count; at the shape and dtype of the logits
    """
    weights = (logits - logits.amax(dim=dim, keepdim=True)).exp()
    return weights / weights.sum(dim=dim, keepdim=True)


def apply_temperature(logits: Float[Tensor, "... V"], temperature: float) -> Float[Tensor, "... V"]:
    """Sharpen (below 1) or flatten (above 1) the distribution.

    temperature: T, above 0
    returns:     logits / T, a new tensor

    Raises ValueError for a temperature that is not above 0.
    """
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    """Make all but the k best tokens impossible.

    logits:  each row along the last axis for itself
    k:       at least 1; more than V keeps all
    returns: a new tensor: the logits, −∞ where cut; what ties with the k-th best stays
    """
    kth_best = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth_best, -math.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    """Keep the fewest best tokens whose probabilities reach p together.

    logits:  each row along the last axis for itself
    p:       above 0 and at most 1
    returns: a new tensor: the logits, −∞ where cut; each at its own place

    A token is cut if it and all worse ones together have at most 1 − p, as transformers
    does it. The best token always stays. With p = 1 only what has probability 0 is cut. Of
    equal logits it may cut some and keep others; which ones is left open.
    """
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p  # it and all worse ones hold 1 - p or less
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


def sample(
    logits: Float[Tensor, "... V"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "..."]:
    """Choose the next token.

    logits:      one row or many; (V,) gives one id, a tensor of shape ()
    temperature: 0 takes the best token (greedy), whatever the rest; otherwise as
                 `apply_temperature`
    top_k:       None keeps all
    top_p:       None keeps all
    generator:   where the randomness comes from, None is torch's own; the same seed gives
                 the same tokens
    returns:     one token id for each row of logits, int64; each row is drawn for itself

    The order is that of transformers: temperature, then top-k, then top-p.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])
