import torch

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self, store=[]):
        self.store = store

    def __len__(self):
        return sum(k.shape[-2] for k, _ in self.store)

    def update(self, k, v):
        self.store.append((k, v))
        ks, vs = zip(*self.store)
        return torch.cat(ks, dim=-2), torch.cat(vs, dim=-2)


def next_logits(token_ids, weights, config, caches):
    hidden = decoder(token_ids, weights, config, caches)
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    logits = lm_head(hidden, weights["model.norm.weight"], head, config.rms_norm_eps)
    return logits[-1]


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = []
    for _ in range(config.num_hidden_layers):
        caches.append(KeyValueCache())
    out = prompt_ids.clone()
    inp = prompt_ids
    for i in range(max_new_tokens):
        logits = next_logits(inp, weights, config, caches)
        if i < min_new_tokens and len(eos_ids) > 0:
            logits = logits.clone()
            logits[list(eos_ids)] = -float("inf")
        nxt = int(choose(logits)) if choose is not None else int(torch.argmax(logits))
        inp = torch.tensor([nxt])
        out = torch.cat((out, inp))
        if nxt in eos_ids:
            return out
    return out
