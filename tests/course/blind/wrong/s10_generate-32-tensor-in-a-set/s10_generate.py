import torch

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self):
        self.past_k, self.past_v = None, None

    def __len__(self):
        return self.past_k.shape[-2] if self.past_k is not None else 0

    def update(self, k, v):
        if self.past_k is not None:
            k = torch.cat([self.past_k, k], dim=-2)
            v = torch.cat([self.past_v, v], dim=-2)
        self.past_k, self.past_v = k, v
        return k, v


def next_logits(token_ids, weights, config, caches):
    h = decoder(token_ids, weights, config, caches)
    unembed = weights["lm_head.weight"] if "lm_head.weight" in weights else weights[
        "model.embed_tokens.weight"
    ]
    return lm_head(h[-1], weights["model.norm.weight"], unembed, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, cur = prompt_ids.clone(), prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(cur, weights, config, caches)
        if n < min_new_tokens:
            logits = logits.clone()
            for e in eos_ids:
                logits[e] = -torch.inf
        nxt = logits.argmax() if choose is None else torch.as_tensor(choose(logits))
        cur = nxt.reshape(1)
        ids = torch.cat([ids, cur])
        if cur[0] in eos_ids:
            break
    return ids
