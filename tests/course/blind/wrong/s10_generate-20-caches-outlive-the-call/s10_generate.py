import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head
from .s09_softmax import sample

_caches = []


class KeyValueCache:
    """Pieces of keys and values, in the order they came."""

    def __init__(self):
        self.key_pieces = []
        self.value_pieces = []

    def __len__(self):
        return sum(piece.shape[-2] for piece in self.key_pieces)

    def update(self, k, v):
        self.key_pieces.append(k)
        self.value_pieces.append(v)
        return torch.cat(self.key_pieces, dim=-2), torch.cat(self.value_pieces, dim=-2)


def next_logits(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)
    tied = "lm_head.weight" not in weights
    matrix = weights["model.embed_tokens.weight" if tied else "lm_head.weight"]
    return lm_head(x[-1], weights["model.norm.weight"], matrix, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    while len(_caches) < config.num_hidden_layers:
        _caches.append(KeyValueCache())
    ids = prompt_ids.clone()
    unseen = ids
    for written in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, _caches[: config.num_hidden_layers])
        if written < min_new_tokens:
            logits = logits.clone()
            for end in eos_ids:
                logits[end] = float("-inf")
        token = int(logits.argmax() if choose is None else choose(logits))
        unseen = torch.tensor([token])
        ids = torch.cat([ids, unseen])
        if token in eos_ids:
            break
    return ids
