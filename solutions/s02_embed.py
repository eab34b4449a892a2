"""Stage 2 · Embed: each id becomes a vector.

An id is only a name: token 594 is not twice token 297. So each token gets a vector, which the
model learned. From here on the model computes with vectors.

What goes in, what comes out
----------------------------
`token_ids`   (…, T)      whole numbers from 0 to V − 1
`table`       (V, D)      one row a token
returns       (…, T, D)   one row of the table a token

T is how many tokens there are, V the size of the vocabulary, D the size of the vectors, which
is called the hidden size. The … stand for any axes in front: none for one text, one for a
batch of texts. All stages treat such axes alike: every text is computed as if it were alone.
No stage changes a tensor that it was given, and gradients flow through: the result is made
from the tensors themselves, with torch's operations.

docs/pytorch-you-need.md explains axes and "…", indexing, and what "gradients flow" means.

                 V = 256000    D = 2048     Aitana-2B-S
                 V =  49152    D =  576     SmolLM2-135M

Formula
-------
x_t = row number `token_ids[t]` of the table E.

The same as a product of matrices: write token i as a vector of V numbers that are all 0, but
for a 1 at place i (a "one-hot" vector). Then

    x_t = onehot(token_ids[t]) · E

The product picks one row. Nobody multiplies it out: V − 1 of the V terms are 0.

By hand
-------
A table of three tokens, two numbers each:

    token 0    1   2
    token 1    3   4
    token 2    5   6

The text with the ids 2, 0, 2 becomes the rows 2, 0, 2. As a product, for its first token:
(0, 0, 1) · E = 0·(1, 2) + 0·(3, 4) + 1·(5, 6) = (5, 6).

>>> import torch
>>> table = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
>>> embed(torch.tensor([2, 0, 2]), table).tolist()
[[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]

A batch of two texts, one token each:

>>> embed(torch.tensor([[1], [0]]), table).shape
torch.Size([2, 1, 2])

There is no token 3, and no token −1:

>>> embed(torch.tensor([0, 3]), table)
Traceback (most recent call last):
IndexError: token ids must lie between 0 and 2

Why
---
Words with a similar use get similar vectors, so what is learned about one helps with the
others. Bengio, Ducharme, Vincent and Jauvin trained such a table together with a language
model in 2003 ("A Neural Probabilistic Language Model"). In word2vec (Mikolov and others, 2013,
arXiv 1301.3781) the differences between vectors had a meaning.

The table is large: 256,000 rows of 2,048 numbers are 524 million numbers in Aitana-2B-S,
nearly a quarter of the model. SmolLM2 uses its table a second time at the end (stage 8).

The vector says which token it is, but not where it stands. The position comes in stage 4.

What goes wrong
---------------
- A negative id is no error for Python or torch: they count from the end, and the last token of
  the vocabulary appears in the text without an error.
- An id that is too large is brought back into the range, so a wrong tokenizer goes unnoticed.
- Only a flat list of ids works; a batch does not.
- The vectors are scaled or normalised here. Some models do that (the first transformer
  multiplied by √D); Llama does not.
"""

from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    """Look up the row of each token.

    token_ids: ids, each from 0 to V − 1; any axes in front, and T may be 0
    table:     E, one row a token of the vocabulary
    returns:   row `token_ids[..., t]` of the table at place t, at the dtype of the table;
               the numbers are exact copies

    Raises IndexError for an id below 0 or above V − 1.
    """
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError(f"token ids must lie between 0 and {len(table) - 1}")
    return table[token_ids]
