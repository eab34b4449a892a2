import torch

from .s03_rms_norm import rms_norm
from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self) -> None:
        self.keys = None
        self.values = None

    def __len__(self) -> int:
        if self.keys is None:
            return 0
        return self.keys.size(-2)

    def update(self, k, v):
        if self.keys is not None:
            k = torch.cat([self.keys, k], dim=-2)
            v = torch.cat([self.values, v], dim=-2)
        self.keys, self.values = k, v
        return k, v


def next_logits(token_ids, weights, config, caches):
    hidden = decoder(token_ids, weights, config, caches)
    hidden = rms_norm(hidden, weights["model.norm.weight"], config.rms_norm_eps)
    if "lm_head.weight" in weights:
        w = weights["lm_head.weight"]
    else:
        w = weights["model.embed_tokens.weight"]
    return lm_head(hidden[-1], weights["model.norm.weight"], w, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids = prompt_ids.clone()
    step_input = prompt_ids
    n_new = 0
    while n_new < max_new_tokens:
        logits = next_logits(step_input, weights, config, caches)
        if n_new < min_new_tokens:
            logits = logits.clone()
            for eos in eos_ids:
                logits[eos] = -torch.inf
        if choose is None:
            token = logits.argmax()
        else:
            token = choose(logits)
        token = torch.as_tensor(token).reshape(1).long()
        ids = torch.cat([ids, token])
        step_input = token
        n_new += 1
        if int(token) in eos_ids:
            break
    return ids
