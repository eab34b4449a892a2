from itertools import islice
import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self):
        self._pair = ()

    def __len__(self):
        for k in self._pair:
            return k.shape[-2]
        return 0

    def update(self, *new):
        old = self._pair or tuple(t[..., :0, :] for t in new)
        self._pair = tuple(torch.cat(both, dim=-2) for both in zip(old, new))
        return self._pair


def next_logits(token_ids, weights, config, caches):
    matrix = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    x = decoder(token_ids, weights, config, caches)
    return lm_head(x, weights["model.norm.weight"], matrix, config.rms_norm_eps).select(-2, -1)


def _tokens(unseen, weights, config, min_new_tokens, eos_ids, choose):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    written = 0
    while True:
        logits = next_logits(unseen, weights, config, caches)
        if written < min_new_tokens:
            ends = [token in eos_ids for token in range(logits.shape[-1])]
            logits = torch.where(torch.tensor(ends), -torch.inf, logits)
        unseen = torch.as_tensor(choose(logits), dtype=torch.int64).view(1)
        yield unseen
        written += 1
        if int(choose(logits)) in eos_ids:
            return


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    if choose is None:
        choose = torch.argmax
    stream = _tokens(prompt_ids, weights, config, min_new_tokens, eos_ids, choose)
    return torch.cat([prompt_ids, *islice(stream, max_new_tokens)])
