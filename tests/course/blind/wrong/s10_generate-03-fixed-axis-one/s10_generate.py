import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head
from .s09_softmax import sample


class KeyValueCache:
    """k and v: (heads, tokens, head_dim)"""

    def __init__(self):
        self.k = torch.empty(0)
        self.v = torch.empty(0)

    def __len__(self):
        return self.k.shape[1] if self.k.dim() > 1 else 0

    def update(self, k, v):
        if len(self) == 0:
            self.k, self.v = k, v
        else:
            self.k = torch.cat([self.k, k], dim=1)
            self.v = torch.cat([self.v, v], dim=1)
        return self.k, self.v


def next_logits(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)
    tied = "lm_head.weight" not in weights
    matrix = weights["model.embed_tokens.weight" if tied else "lm_head.weight"]
    return lm_head(x[-1], weights["model.norm.weight"], matrix, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids = prompt_ids.clone()
    unseen = ids
    for written in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if written < min_new_tokens:
            logits = logits.clone()
            for end in eos_ids:
                logits[end] = float("-inf")
        token = logits.argmax() if choose is None else choose(logits)
        token = int(token)
        unseen = torch.tensor([token], dtype=ids.dtype)
        ids = torch.cat([ids, unseen])
        if token in eos_ids:
            break
    return ids
