import torch

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self):
        self.k, self.v = None, None

    def __len__(self):
        return 0 if self.k is None else self.k.size(-2)

    def update(self, k, v):
        if self.k is None:
            self.k, self.v = k, v
        else:
            self.k, self.v = torch.cat([self.k, k], -2), torch.cat([self.v, v], -2)
        return self.k, self.v


def next_logits(token_ids, weights, config, caches):
    out = decoder(token_ids, weights, config, caches)
    emb = weights["model.embed_tokens.weight"]
    return lm_head(
        out[-1], weights["model.norm.weight"], weights.get("lm_head.weight", emb), config.rms_norm_eps
    )


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    decoder(prompt_ids, weights, config, caches)  # fill the caches with the prompt
    ids = prompt_ids.tolist()
    for i in range(max_new_tokens):
        logits = next_logits(torch.tensor(ids[-1:]), weights, config, caches)
        if i < min_new_tokens and eos_ids:
            logits = logits.clone()
            logits[list(eos_ids)] = float("-inf")
        ids.append(int(logits.argmax() if choose is None else choose(logits)))
        if ids[-1] in eos_ids:
            break
    return torch.tensor(ids)
