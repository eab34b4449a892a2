from typing import NamedTuple
import torch
from torch import Tensor
from .s07_decoder import decoder
from .s08_lm_head import lm_head


class Memory(NamedTuple):
    k: Tensor | None = None
    v: Tensor | None = None

    def size(self) -> int:
        return 0 if self.k is None else self.k.shape[-2]

    def with_new(self, k: Tensor, v: Tensor) -> "Memory":
        if self.k is None:
            return Memory(k, v)
        return Memory(torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2))


class KeyValueCache:
    def __init__(self) -> None:
        self.memory = Memory()

    def __len__(self) -> int:
        return self.memory.size()

    def update(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        self.memory = self.memory.with_new(k, v)
        return tuple(self.memory)


def next_logits(token_ids, weights, config, caches):
    *_, last = decoder(token_ids, weights, config, caches)
    w_vocab = weights[min(
        (name for name in ("lm_head.weight", "model.embed_tokens.weight") if name in weights),
    )]
    return lm_head(last, weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


def generate(
    prompt_ids: Tensor,
    weights,
    config,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids=(),
    choose=None,
) -> Tensor:
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    parts = [prompt_ids]
    for step in range(max_new_tokens):
        logits = next_logits(parts[-1], weights, config, caches)
        if step <= min_new_tokens:
            logits = logits.clone()
            logits[list(eos_ids)] = float("-inf")
        token = int((choose or torch.argmax)(logits))
        parts.append(torch.tensor([token]))
        if token in eos_ids:
            break
    return torch.cat(parts)
