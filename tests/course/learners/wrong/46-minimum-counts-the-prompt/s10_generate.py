"""Stage 10: generation."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self) -> None:
        self._past: tuple[Tensor, Tensor] | None = None

    def __len__(self) -> int:
        if self._past is None:
            return 0
        return self._past[0].size(-2)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        if self._past is not None:
            past_k, past_v = self._past
            k = torch.cat([past_k, k], dim=-2)
            v = torch.cat([past_v, v], dim=-2)
        self._past = (k, v)
        return k, v


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    out = decoder(token_ids, weights, config, caches)
    tied = "lm_head.weight" not in weights
    w = weights["model.embed_tokens.weight" if tied else "lm_head.weight"]
    return lm_head(out, weights["model.norm.weight"], w, config.rms_norm_eps)[-1]


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    past_key_values = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    input_ids = prompt_ids
    model_input = prompt_ids
    max_length = prompt_ids.shape[-1] + max_new_tokens
    while input_ids.shape[-1] < max_length:
        scores = next_logits(model_input, weights, config, past_key_values)
        cur_len = input_ids.shape[-1]
        if cur_len < min_new_tokens and len(eos_ids) > 0:
            vocab = torch.arange(scores.shape[-1])
            scores = scores.masked_fill(torch.isin(vocab, torch.tensor(list(eos_ids))), -torch.inf)
        next_token = int(scores.argmax(-1) if choose is None else choose(scores))
        model_input = prompt_ids.new_tensor([next_token])
        input_ids = torch.cat([input_ids, model_input], dim=-1)
        if next_token in eos_ids:
            break
    return input_ids
