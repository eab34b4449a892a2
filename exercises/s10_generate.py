"""Stage 10 · Generate: one token at a time, with a memory.

The model gives one token. To write a text, that token is put behind the others and the model
is asked again. A memory, the cache, keeps it from computing the whole text anew each time.

What goes in, what comes out
----------------------------
`KeyValueCache`   the memory of one layer: keys and values of all tokens so far
`next_logits`     new ids (Q,), weights, config, caches   ->  logits (V,) for what comes next
`generate`        prompt ids (T,), weights, config, …     ->  ids (T + N,)

Here is one text and no batch. N is how many tokens are written; it is at most
`max_new_tokens`. The prompt and the weights are not changed. docs/pytorch-you-need.md explains
tensors without axes, as one token id is.

Formula
-------
    caches = one empty cache a layer
    unseen = the whole prompt
    up to max_new_tokens times:
        logits = logits after the last of the unseen tokens          stages 7 and 8
        if fewer than min_new_tokens are written: end tokens get −∞
        token  = choose(logits)
        put it behind the ids
        if it is an end token: stop
        unseen = only this token

In each step the decoder sees only what is unseen. What attention needs of earlier tokens are
their keys and values, and those are in the caches:

    step    the decoder sees     keys in each cache         positions
     1      p0 p1 p2             p0 p1 p2                   0 1 2
     2      t1                   p0 p1 p2 t1                3
     3      t2                   p0 p1 p2 t1 t2             4

A cache of one layer holds k and v of shape (…, K, T, d). `update` gets those of the Q new
tokens, (…, K, Q, d), and puts them behind the old ones along the axis of tokens.

By hand
-------
A cache that gets two tokens and then one more (K = 1, d = 2):

>>> import torch
>>> cache = KeyValueCache()
>>> len(cache)
0
>>> k, v = cache.update(torch.tensor([[[1.0, 1.0], [2.0, 2.0]]]), torch.zeros(1, 2, 2))
>>> k, v = cache.update(torch.tensor([[[3.0, 3.0]]]), torch.zeros(1, 1, 2))
>>> k.tolist()
[[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]]
>>> len(cache), v.shape
(3, torch.Size([1, 3, 2]))

A model that counts, with four tokens 0, 1, 2, 3. Its only layer adds nothing, so the stream is
the embedding of the token. The rows of `lm_head.weight` are such that after token t the best is
t + 1 and the second best t + 2, where 4 is 0 again and 5 is 1.

>>> from types import SimpleNamespace
>>> zeros, same, ones = torch.zeros(4, 4), torch.eye(4), torch.ones(4)
>>> weights = {
...     "model.embed_tokens.weight": same,
...     "model.norm.weight": ones,
...     "lm_head.weight": 2 * same.roll(1, dims=0) + same.roll(2, dims=0),
...     "model.layers.0.input_layernorm.weight": ones,
...     "model.layers.0.post_attention_layernorm.weight": ones,
... }
>>> for name in ("self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o"):
...     weights[f"model.layers.0.{name}_proj.weight"] = zeros
>>> for name in ("mlp.gate", "mlp.up", "mlp.down"):
...     weights[f"model.layers.0.{name}_proj.weight"] = zeros
>>> config = SimpleNamespace(
...     num_hidden_layers=1,
...     num_attention_heads=1,
...     num_key_value_heads=1,
...     head_dim=4,
...     rms_norm_eps=0.0,
...     rope_theta=10_000.0,
... )
>>> generate(torch.tensor([0]), weights, config, max_new_tokens=5).tolist()
[0, 1, 2, 3, 0, 1]

With end token 3 the text ends there, and the 3 is part of it:

>>> generate(torch.tensor([0]), weights, config, max_new_tokens=5, eos_ids=[3]).tolist()
[0, 1, 2, 3]

If at least 3 tokens are wanted, the third can't be the 3. After 2 the second best is 0:

>>> prompt = torch.tensor([0])
>>> generate(prompt, weights, config, 5, min_new_tokens=3, eos_ids=[3]).tolist()
[0, 1, 2, 0, 1, 2]

Why
---
A model that guesses the next token can write by itself: what it guessed becomes part of what it
reads. That is called autoregression.

Without a cache, step n computes all T + n tokens again, though the mask makes sure that nothing
about the old ones can change. For 100 new tokens after a prompt of 100 that is 14,950 tokens
to compute, with a cache 199. Shazeer (2019, arXiv 1911.02150) described steps with a cache, and
that they spend their time reading it; Pope and others (2022, arXiv 2211.05102) computed the
costs for large models. Aitana-2B-S keeps 24 layers · 2 · 16 heads · 128 = 98,304 numbers a token,
SmolLM2-135M 11,520.

Keys are kept after RoPE. A key's rotation depends on its own position only, so it never has to
be turned again.

What goes wrong
---------------
- The prompt is handed to the decoder token by token: the same text, but many steps for one.
- The positions start at 0 again in each step, so that each new token believes it is the first.
- The whole text is handed to the decoder although the caches have seen it: every key stands
  in the cache twice.
- All layers share one cache, or the caches outlive the call and the next text starts with
  those of the last.
- The new keys are put before the old ones, or beside them along the axis of heads.
- The logits are those of the first token and not of the last.
- A tied model has no `lm_head.weight`, and the program ends with a KeyError.
- The end tokens index the logits as they come. `logits[()]`, with the empty tuple, is all of
  them, and a tuple of two means two axes. A set is no index at all.
- A token id that is a tensor is looked for in a set: `token in {3}` is False also for
  `torch.tensor(3)`. `int(token)` is found.
- The end token is cut off, or the text goes on after it. Or only one of several end tokens
  counts.
- End tokens are possible one step too early, or one too late.
- It writes one token more or less than `max_new_tokens`, or fails when that is 0.

Words
-----
prompt       the text that is to be continued
end token    a token that says "here the text ends"; in names: `eos`
cache        a memory of results that would be the same if they were computed again
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head
from .s09_softmax import sample


class KeyValueCache:
    """The keys and values of one layer, for all tokens so far.

    `KeyValueCache()` makes an empty one. How it keeps them is its own business: the others
    know `len(cache)` and `update`.
    """

    def __init__(self) -> None:
        """Start with no tokens."""
        raise NotImplementedError

    def __len__(self) -> int:
        """How many tokens are kept; 0 at first."""
        raise NotImplementedError

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        """Add new tokens' rotated keys and values; return those of all tokens, oldest first.

        k, v:    of the Q new tokens, one or many, not repeated; any axes in front
        returns: (k, v) of all T tokens so far, these Q last, at the dtype of k and v
        """
        raise NotImplementedError


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    """Run the tokens that the caches have not seen; score what comes after the last.

    token_ids: the new tokens only, at least one
    weights:   all weights; "lm_head.weight" is missing where the vocabulary is tied, and then
               "model.embed_tokens.weight" takes its place; the final norm is
               "model.norm.weight"
    config:    as for `decoder`
    caches:    one a layer; each grows by Q tokens
    returns:   the logits after the last token
    """
    raise NotImplementedError


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    """Continue a prompt: the prompt at once, then one token a step.

    prompt_ids:     at least one token; may itself hold end tokens, they end nothing
    max_new_tokens: stop after so many, whatever min_new_tokens says; 0 gives the prompt alone
    min_new_tokens: make end tokens impossible (logit −∞) before so many new ones are written
    eos_ids:        end tokens, a list, tuple or set of any length; the first one chosen is
                    kept and ends the text
    choose:         logits (V,) -> token id, as a tensor () or (1,) or an int; called once for
                    each new token, after end tokens were made impossible; None takes the best
    returns:        the prompt and N new tokens, int64 as the prompt

    Each call starts with caches of its own. The decoder sees each token once: in the first
    step the whole prompt in one call, in each step after it one token.
    """
    raise NotImplementedError
