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
        if self.k is None:
            self.k = torch.zeros(*k.shape[:-2], 0, k.shape[-1])
            self.v = torch.zeros(*v.shape[:-2], 0, v.shape[-1])
        self.k = torch.cat([self.k, k.float()], dim=-2)
        self.v = torch.cat([self.v, v.float()], dim=-2)
        return self.k, self.v


def next_logits(token_ids, weights, config, caches):
    last = decoder(token_ids, weights, config, caches)[-1:]
    name = "lm_head.weight" if "lm_head.weight" in weights else "model.embed_tokens.weight"
    return lm_head(last, weights["model.norm.weight"], weights[name], config.rms_norm_eps)[0]


@torch.no_grad()
def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    start = prompt_ids.shape[0]
    text = prompt_ids.new_zeros(start + max_new_tokens)
    text[:start] = prompt_ids
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    seen, end = 0, start
    while end < start + max_new_tokens:
        logits = next_logits(text[seen:end], weights, config, caches)
        if end - start < min_new_tokens:
            logits[list(eos_ids)] = -torch.inf
        token = logits.argmax() if choose is None else choose(logits)
        text[end] = int(token)
        seen, end = end, end + 1
        if int(token) in eos_ids:
            break
    return text[:end].clone()
