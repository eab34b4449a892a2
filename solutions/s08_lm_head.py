"""Stage 8 · lm_head: from the stream to a score for every token.

The stream leaves the last layer with all that the model found out. The last step is a question
to each token of the vocabulary: how well would you go on here? "lm" stands for language model.

What goes in, what comes out
----------------------------
`x`             (…, D)    the stream after the last layer, not yet normalised
`norm_weight`   (D,)      γ of the final norm, `model.norm.weight`
`w_vocab`       (V, D)    one row a token
`eps`           ε         as in the other norms
returns         (…, V)    one score a token of the vocabulary, called a logit

What goes in is not changed, and gradients flow through. docs/pytorch-you-need.md explains
products of matrices, also of a single vector.

                       D        V     w_vocab
    Aitana-2B-S      2048   256000    a matrix of its own, `lm_head.weight`
    SmolLM2-135M      576    49152    the embedding table again: "tied"

Formula
-------
    logits = norm(x) · W_vocabᵀ            norm is stage 3, with γ and ε

So logit v is the scalar product of the normalised stream with row v. A logit is any number:
the larger, the better the token fits. Stage 9 makes probabilities of them.

By hand
-------
x = (1, 7), γ = (1, 1), ε = 0: the norm gives (0.2, 1.4). Three tokens with these rows:

    token 0    (5, 0)     5·0.2           = 1
    token 1    (0, 5)     5·1.4           = 7
    token 2    (5, 5)     5·0.2 + 5·1.4   = 8

>>> import torch
>>> w_vocab = torch.tensor([[5.0, 0.0], [0.0, 5.0], [5.0, 5.0]])
>>> logits = lm_head(torch.tensor([1.0, 7.0]), torch.ones(2), w_vocab, 0.0)
>>> [round(number, 4) for number in logits.tolist()]
[1.0, 7.0, 8.0]

A stream ten times as long gives the same: the norm takes the length away.

>>> logits = lm_head(torch.tensor([10.0, 70.0]), torch.ones(2), w_vocab, 0.0)
>>> [round(number, 4) for number in logits.tolist()]
[1.0, 7.0, 8.0]

Why
---
The layers normalise copies only, so the stream itself has any length when it leaves them. One
final norm brings it to the size that the matrix was trained for.

The embedding table maps tokens to vectors, and this matrix compares vectors with tokens. Press
and Wolf (2016, arXiv 1608.05859) and Inan, Khosravi and Socher (2016, arXiv 1611.01462) let both
be one matrix. That saves V·D numbers: in SmolLM2-135M 28 of what would be 163 million. A large
model can afford two: Aitana-2B-S has 524 million more. For you it makes no difference: the
rows of `w_vocab` are handed to you.

Each token's place gets its own logits, a guess of what comes after that token. For training all
are needed. To go on with a text only the last place is needed, and the product for it alone is
T times cheaper (stage 10).

What goes wrong
---------------
- The norm is left out, or done twice. Twice is hard to see: with gains of 1 it would change
  nothing. Transformers' `hidden_states[-1]` is already normalised, and many have normalised it
  again.
- The norm is one of a layer instead of the final one, or its gains are left out.
- The rows are normalised, too. They are used as they are.
- A softmax is taken. Logits are wanted, not probabilities.

Words
-----
logit        the score of a token before softmax; it may be negative
tied         the embedding table serves as the last matrix as well
"""

from jaxtyping import Float
from torch import Tensor

from .s03_rms_norm import rms_norm


def lm_head(
    x: Float[Tensor, "... D"],
    norm_weight: Float[Tensor, " D"],
    w_vocab: Float[Tensor, "V D"],
    eps: float,
) -> Float[Tensor, "... V"]:
    """Normalise once more, then compare with every token's row.

    x:           the residual stream after the last layer; any axes in front
    norm_weight: γ of the final norm
    w_vocab:     W_vocab, one row a token; the embedding table again where the model ties them
    eps:         ε of the final norm
    returns:     one logit a token of the vocabulary, at the dtype of x
    """
    return rms_norm(x, norm_weight, eps) @ w_vocab.mT
