import torch

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache(dict):
    def __init__(self):
        super().__init__()

    def __len__(self):
        return self["k"].size(-2) if "k" in self else 0

    def __bool__(self):
        return True  # also an empty cache is a cache

    def update(self, k, v):
        for name, new in (("k", k), ("v", v)):
            self[name] = torch.cat((self[name], new), dim=-2) if name in self else new
        return self["k"], self["v"]


def next_logits(token_ids, weights, config, caches):
    stream = decoder(token_ids, weights, config, caches)
    rows = weights.get("lm_head.weight")
    if rows is None:
        rows = weights["model.embed_tokens.weight"]
    return lm_head(stream, weights["model.norm.weight"], rows, config.rms_norm_eps)[-1]


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ends = sorted(set(eos_ids))
    ids = prompt_ids.tolist()
    new = []
    unseen = prompt_ids
    finished = False
    while not finished and len(new) < max_new_tokens:
        scores = next_logits(unseen, weights, config, caches)
        if len(new) < min_new_tokens and ends:
            scores = scores.index_fill(0, torch.tensor(ends), -torch.inf)
        pick = torch.as_tensor(scores.argmax() if choose is None else choose(scores))
        unseen = pick.reshape(1).to(torch.int64)
        new.append(unseen.item())
        finished = new[-1] in ends
    return torch.tensor(ids + new, dtype=torch.int64)
