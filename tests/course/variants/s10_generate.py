"""Right ways to write stage 10 that look different."""
# ruff: noqa: F821

import torch

from token_journey.course.misconceptions import rewrite


@rewrite("KeyValueCache", "as a list of pieces")
class ListOfPieces:
    def __init__(self):
        self.pieces = []

    def __len__(self):
        return sum(k.size(-2) for k, _ in self.pieces)

    def update(self, k, v):
        self.pieces.append((k, v))
        return tuple(torch.cat(kept, dim=-2) for kept in zip(*self.pieces, strict=True))


@rewrite("KeyValueCache", "in a buffer that doubles when it is full")
class Buffer:
    def __init__(self):
        self.filled = 0
        self.k = self.v = torch.empty(0)

    def __len__(self):
        return self.filled

    def update(self, k, v):
        start, self.filled = self.filled, self.filled + k.shape[-2]
        if start == 0:
            self.k, self.v = k[..., :0, :], v[..., :0, :]
        if self.filled > self.k.shape[-2]:
            room = (*k.shape[:-2], 2 * self.filled, k.shape[-1])
            old = self.k[..., :start, :], self.v[..., :start, :]
            self.k, self.v = k.new_zeros(room), v.new_zeros(room)
            self.k[..., :start, :], self.v[..., :start, :] = old
        self.k[..., start : self.filled, :] = k
        self.v[..., start : self.filled, :] = v
        return self.k[..., : self.filled, :], self.v[..., : self.filled, :]


@rewrite("KeyValueCache", "from an empty tensor on")
class FromEmpty:
    def __init__(self):
        self.kept = None

    def __len__(self):
        return 0 if self.kept is None else self.kept.shape[-2]

    def update(self, k, v):
        new = torch.stack([k, v])
        self.kept = new if self.kept is None else torch.cat([self.kept, new], dim=-2)
        return self.kept[0], self.kept[1]


@rewrite("KeyValueCache", "as a dict, with Python's own __init__")
class AsADict(dict):
    def __len__(self):
        return self["k"].shape[-2] if "k" in self else 0

    def update(self, k, v):
        for name, new in (("k", k), ("v", v)):
            self[name] = torch.cat([self[name], new], dim=-2) if name in self else new
        return self["k"], self["v"]


@rewrite("next_logits", "scoring all positions and taking the last")
def all_then_last(token_ids, weights, config, caches):
    table = "model.embed_tokens.weight" if config.tie_word_embeddings else "lm_head.weight"
    x = decoder(token_ids, weights, config, caches)
    gains, eps = weights["model.norm.weight"], config.rms_norm_eps
    return lm_head(x, gains, weights[table], eps)[..., -1, :]


@rewrite("generate", "with a list of ids and a mask")
def with_a_list(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, done = prompt_ids.tolist(), 0
    ends = torch.zeros(len(weights["model.embed_tokens.weight"]), dtype=torch.bool)
    for end in eos_ids:
        ends[end] = True
    while len(ids) - len(prompt_ids) < max_new_tokens:
        new = prompt_ids.new_tensor(ids[done:])
        done = len(ids)
        logits = next_logits(new, weights, config, caches)
        if len(ids) - len(prompt_ids) < min_new_tokens:
            logits = torch.where(ends, -math.inf, logits)
        chosen = int(logits.argmax() if choose is None else choose(logits))
        ids.append(chosen)
        if ends[chosen]:
            break
    return prompt_ids.new_tensor(ids)


@rewrite("generate", "with one run more than is needed")
def one_run_more(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    new = []
    logits = next_logits(prompt_ids, weights, config, caches)
    while len(new) < max_new_tokens:
        if len(new) < min_new_tokens:
            for end in eos_ids:
                logits[end] = float("-inf")
        token = torch.argmax(logits) if choose is None else choose(logits)
        new.append(torch.as_tensor(token, dtype=torch.long).view(-1))
        if int(new[-1]) in set(eos_ids):
            return torch.cat([prompt_ids, *new])
        logits = next_logits(new[-1], weights, config, caches)
    return torch.cat([prompt_ids, *new])


@rewrite("generate", "in a buffer of ids")
def in_a_buffer(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    end = len(prompt_ids)
    ids = torch.cat([prompt_ids, prompt_ids.new_zeros(max_new_tokens)])
    for place in range(end, end + max_new_tokens):
        unseen = ids[len(caches[0]) : place]
        logits = next_logits(unseen, weights, config, caches).clone()
        if place - end < min_new_tokens and eos_ids:
            logits.index_fill_(0, torch.tensor(sorted(eos_ids)), float("-inf"))
        ids[place] = choose(logits) if choose else logits.max(dim=0).indices
        if ids[place].item() in eos_ids:
            return ids[: place + 1]
    return ids
