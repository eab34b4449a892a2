import torch

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self):
        self.k = None
        self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        self.k = k if self.k is None else torch.cat((self.k, k), dim=-2)
        self.v = v if self.v is None else torch.cat((self.v, v), dim=-2)
        return self.k, self.v


def next_logits(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)[-1]
    w = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return lm_head(x, weights["model.norm.weight"], w, config.rms_norm_eps)


def pick(logits, banned, choose):
    if banned:
        logits = logits.clone()
        logits[banned] = float("-inf")
    return int(logits.argmax()) if choose is None else int(choose(logits))


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    if max_new_tokens == 0:
        return prompt_ids.clone()
    eos = list(eos_ids)
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    # prefill
    logits = next_logits(prompt_ids, weights, config, caches)
    new = [pick(logits, eos if min_new_tokens > 0 else [], choose)]
    # decode
    while len(new) < max_new_tokens:
        logits = next_logits(torch.tensor(new[-1:]), weights, config, caches)
        new.append(pick(logits, eos if len(new) < min_new_tokens else [], choose))
        if new[-1] in eos:
            break
    return torch.cat([prompt_ids, torch.tensor(new)])
