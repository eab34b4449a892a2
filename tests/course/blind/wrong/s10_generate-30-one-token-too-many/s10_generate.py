"""Prefill and decode."""

import torch
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self) -> None:
        self.data: list[Tensor] = []

    def __len__(self) -> int:
        return self.data[0].shape[-2] if self.data else 0

    def update(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        if self.data:
            k = torch.cat([self.data[0], k], dim=-2)
            v = torch.cat([self.data[1], v], dim=-2)
        self.data = [k, v]
        return k, v


def next_logits(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)
    if "lm_head.weight" not in weights:
        table = weights["model.embed_tokens.weight"]
    else:
        table = weights["lm_head.weight"]
    return lm_head(x, weights["model.norm.weight"], table, config.rms_norm_eps)[-1]


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    choose = choose or (lambda logits: logits.argmax())

    def step(ids, n):
        logits = next_logits(ids, weights, config, caches)
        if n < min_new_tokens:
            logits = logits.clone()
            for e in eos_ids:
                logits[e] = -torch.inf
        return torch.tensor([int(choose(logits))])

    token = step(prompt_ids, 0)
    tokens = [prompt_ids, token]
    for i in range(max_new_tokens):
        if int(token) in eos_ids:
            break
        token = step(token, i + 1)
        tokens.append(token)
    return torch.cat(tokens)
