"""Stage 10 · Generate: one token at a time, with a memory."""

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
    """The keys and values of one layer, for all tokens so far."""

    def __init__(self) -> None:
        """Start with no tokens."""
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def __len__(self) -> int:
        """How many tokens are kept."""
        return 0 if self.k is None else self.k.shape[-2]

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        """Add new tokens' rotated keys and values; return those of all tokens, oldest first."""
        if self.k is not None and self.v is not None:
            k = torch.cat([self.k, k], dim=-2)
            v = torch.cat([self.v, v], dim=-2)
        self.k, self.v = k, v
        return k, v


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    """Run the tokens that the caches have not seen; score what comes after the last.

    token_ids: the new tokens only
    weights:   all weights; "lm_head.weight" is missing where the vocabulary is tied
    config:    as for `decoder`
    caches:    one a layer; grows by Q tokens
    """
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    x = decoder(token_ids, weights, config, caches)
    return lm_head(x[-1], weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


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

    prompt_ids:     at least one token
    max_new_tokens: stop after so many
    min_new_tokens: make end tokens impossible before so many
    eos_ids:        end tokens; the first one chosen is kept and ends the text
    choose:         logits (V,) -> token id; None takes the best
    returns:        the prompt and N new tokens
    """
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids
