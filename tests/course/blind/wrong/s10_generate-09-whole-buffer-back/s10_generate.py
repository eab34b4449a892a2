import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    MAX_LEN = 2048

    def __init__(self):
        self.used = 0
        self.k = self.v = None

    def __len__(self):
        return self.used

    def update(self, k, v):
        if self.k is None:
            self.k = k.new_zeros(*k.shape[:-2], self.MAX_LEN, k.shape[-1])
            self.v = v.new_zeros(*v.shape[:-2], self.MAX_LEN, v.shape[-1])
        end = self.used + k.shape[-2]
        self.k[..., self.used : end, :] = k
        self.v[..., self.used : end, :] = v
        self.used = end
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
