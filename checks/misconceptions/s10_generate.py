"""Wrong ways to write stage 10."""
# ruff: noqa: F821

import math

import torch

from token_journey import misconception

CACHE = "what the lesson says a cache returns, and in which order"
LENGTH = "what len(cache) counts, and which axis holds the tokens"
UNSEEN = "what the caches remember, and which tokens are left to run"
HEAD = "the last step: which position, which norm, which vocabulary?"
LOOP = "the loop: what is chosen, kept and counted in one step?"
END = "what the lesson says of end tokens"
LEAST = "what min_new_tokens makes impossible, and for how long"
CHOOSE = "what `choose` is handed, and what it decides"


# -- the cache ----------------------------------------------------------------


@misconception(
    "KeyValueCache",
    "the newest tokens come first in the cache",
    "new keys and values are put in front of the old ones",
    read=CACHE,
)
class NewestFirst:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([k, self.k], dim=-2), torch.cat([v, self.v], dim=-2)
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "the cache keeps only the last tokens",
    "each update replaces what was kept",
    read=CACHE,
)
class KeepsTheLast:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "update returns only the new tokens",
    "everything is kept, but what was kept is not returned",
    read=CACHE,
)
class ReturnsTheNew:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        self.k = k if self.k is None else torch.cat([self.k, k], dim=-2)
        self.v = v if self.v is None else torch.cat([self.v, v], dim=-2)
        return k, v


@misconception(
    "KeyValueCache",
    "update returns what was kept before",
    "the new keys and values are added after the old ones were returned",
    read=CACHE,
)
class OneUpdateLate:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        if self.k is None:
            self.k, self.v = k, v
            return k, v
        before = self.k, self.v
        self.k, self.v = torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2)
        return before


@misconception(
    "KeyValueCache",
    "the keys are kept as values, too",
    "what update returns as values are the keys",
    read=CACHE,
)
class KeysTwice:
    def __init__(self):
        self.k = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        self.k = k if self.k is None else torch.cat([self.k, k], dim=-2)
        return self.k, self.k


@misconception(
    "KeyValueCache",
    "keys and values are exchanged",
    "update returns the values first",
    read=CACHE,
)
class Exchanged:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2)
        self.k, self.v = k, v
        return v, k


@misconception(
    "KeyValueCache",
    "tokens are joined along the axis of the heads",
    "new tokens become further heads, which only fits when as many come as before",
    read=LENGTH,
)
class JoinedAlongHeads:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=-3), torch.cat([self.v, v], dim=-3)
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "the axis of tokens is counted from the front",
    "axis 1 holds the tokens of (K, T, d), but the heads of (B, K, T, d)",
    read=LENGTH,
)
class AxisFromTheFront:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[1]

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=1), torch.cat([self.v, v], dim=1)
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "len counts the updates",
    "the prompt counts as one token, so the positions after it are too small",
    read=LENGTH,
)
class CountsUpdates:
    def __init__(self):
        self.k = self.v = None
        self.updates = 0

    def __len__(self):
        return self.updates

    def update(self, k, v):
        self.updates += 1
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2)
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "len counts the first axis",
    "len(cache) is the number of heads or of sentences, not of tokens",
    read=LENGTH,
)
class CountsTheFirstAxis:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else len(self.k)

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2)
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "len stays 0",
    "every token is given the positions from 0 on, since the cache does not count",
    read=LENGTH,
)
class CountsNothing:
    def __init__(self):
        self.k = self.v = None

    def __len__(self):
        return 0

    def update(self, k, v):
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=-2), torch.cat([self.v, v], dim=-2)
        self.k, self.v = k, v
        return k, v


@misconception(
    "KeyValueCache",
    "all caches share one memory",
    "keys and values belong to the class, so every layer adds to the same ones",
    read="attributes of a class and of its instances in Python's tutorial",
)
class Shared:
    pieces = []  # noqa: RUF012

    def __len__(self):
        return sum(k.shape[-2] for k, _ in self.pieces)

    def update(self, k, v):
        self.pieces.append((k, v))
        return tuple(torch.cat(kept, dim=-2) for kept in zip(*self.pieces, strict=True))


# -- the next token's logits ----------------------------------------------------


@misconception(
    "next_logits",
    "the first position's logits are taken",
    "the scores are those after the first of the new tokens, not after the last",
    read=HEAD,
)
def first_position(token_ids, weights, config, caches):
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    x = decoder(token_ids, weights, config, caches)
    return lm_head(x[0], weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


@misconception(
    "next_logits",
    "the logits of all positions are returned",
    "one row of scores a token comes back, where only the last one is wanted",
    read=HEAD,
)
def all_positions(token_ids, weights, config, caches):
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    x = decoder(token_ids, weights, config, caches)
    return lm_head(x, weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


@misconception(
    "next_logits",
    "the final norm is left out",
    "the stream is compared with the vocabulary as it left the last layer",
    read=HEAD,
)
def without_the_final_norm(token_ids, weights, config, caches):
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return decoder(token_ids, weights, config, caches)[-1] @ w_vocab.mT


@misconception(
    "next_logits",
    "the final norm is applied twice",
    "the stream is normalised before lm_head, which normalises it again",
    read=HEAD,
)
def with_two_final_norms(token_ids, weights, config, caches):
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    gains, eps = weights["model.norm.weight"], config.rms_norm_eps
    x = decoder(token_ids, weights, config, caches)[-1]
    x = gains * x / (x.square().mean() + eps).sqrt()
    return lm_head(x, gains, w_vocab, eps)


@misconception(
    "next_logits",
    "every vocabulary is taken for tied",
    "the embedding table is used, though the model has an lm_head.weight",
    read=HEAD,
)
def always_tied(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)
    table = weights["model.embed_tokens.weight"]
    return lm_head(x[-1], weights["model.norm.weight"], table, config.rms_norm_eps)


@misconception(
    "next_logits",
    "no vocabulary is taken for tied",
    "lm_head.weight is looked up, though a tied model has none",
    read=HEAD,
)
def never_tied(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)
    w_vocab = weights["lm_head.weight"]
    return lm_head(x[-1], weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


@misconception(
    "next_logits",
    "probabilities are returned",
    "softmax is applied to the logits, which choose does itself",
    read=HEAD,
)
def probabilities(token_ids, weights, config, caches):
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    x = decoder(token_ids, weights, config, caches)
    gains, eps = weights["model.norm.weight"], config.rms_norm_eps
    return lm_head(x[-1], gains, w_vocab, eps).softmax(dim=-1)


@misconception(
    "next_logits",
    "the caches are not handed on",
    "decoder runs without them, so that each call begins a new text",
    read=UNSEEN,
)
def without_caches(token_ids, weights, config, caches):
    w_vocab = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    x = decoder(token_ids, weights, config)
    return lm_head(x[-1], weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


# -- which tokens are run -------------------------------------------------------


@misconception(
    "generate",
    "the whole text is run again with the caches",
    "tokens that the caches hold already are added once more",
    read=UNSEEN,
)
def everything_again(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids = prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(ids, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        new = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, new])
        if new.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "the caches are new in each step",
    "only the last token is run, and nothing remembers those before it",
    read=UNSEEN,
)
def new_caches_each_step(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "nothing is remembered",
    "every step runs the whole text with new caches: right tokens, but all the work again",
    read=UNSEEN,
)
def without_memory(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    ids = prompt_ids
    for n in range(max_new_tokens):
        caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
        logits = next_logits(ids, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        new = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, new])
        if new.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "all layers share one cache",
    "the list holds the same cache again and again",
    read=UNSEEN,
)
def one_cache_for_all(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache()] * config.num_hidden_layers
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "the last prompt token is run twice",
    "the prompt fills the caches, and the first step runs its last token once more",
    read=UNSEEN,
)
def last_token_twice(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    decoder(prompt_ids, weights, config, caches)
    ids, unseen = prompt_ids, prompt_ids[-1:]
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


# -- what is chosen and kept ------------------------------------------------------


@misconception(
    "generate",
    "choose is not asked",
    "the best token is always taken",
    read=CHOOSE,
)
def always_the_best(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = logits.argmax().reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "tokens are drawn where the best should be taken",
    "without choose the next token is sampled at temperature 1",
    read=CHOOSE,
)
def sampled(prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None):
    dice = torch.Generator().manual_seed(1)  # so that two runs can be held side by side
    choose = choose or (
        lambda logits: torch.multinomial(logits.float().softmax(-1), 1, generator=dice)
    )
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "the seed of torch's own chance is set",
    "torch.manual_seed holds for the whole program, so all that is drawn later is always the same",
    read=CHOOSE,
)
def seeded(prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None):
    torch.manual_seed(0)
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "only the new tokens are returned",
    "the prompt is missing from the result",
    read="what the lesson says generate returns",
)
def without_the_prompt(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids[:0], prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "one token too many is written",
    "a token is chosen once more after max_new_tokens",
    read=LOOP,
)
def one_too_many(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens + 1):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "one token too few is written",
    "the loop ends before max_new_tokens tokens are there",
    read=LOOP,
)
def one_too_few(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens - 1):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "max_new_tokens counts the prompt",
    "the text as a whole gets that many tokens, not its new part",
    read=LOOP,
)
def longest_in_all(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens - len(prompt_ids)):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


# -- end tokens -------------------------------------------------------------------


@misconception(
    "generate",
    "end tokens are ignored",
    "the text goes on after an end token",
    read=END,
)
def never_ends(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
    return ids


@misconception(
    "generate",
    "the end token is dropped",
    "the text stops before its end token, which should be kept",
    read=END,
)
def end_dropped(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        if unseen.item() in eos_ids:
            break
        ids = torch.cat([ids, unseen])
    return ids


@misconception(
    "generate",
    "the text ends one token after the end token",
    "whether the text has ended is asked about the token before",
    read=END,
)
def ends_one_late(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen, ended = prompt_ids, prompt_ids, False
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if ended:
            break
        ended = unseen.item() in eos_ids
    return ids


@misconception(
    "generate",
    "only the first end token counts",
    "a model may have several, and each of them ends the text",
    read=END,
)
def only_the_first_end(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    eos_ids = list(eos_ids)[:1]
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[eos_ids] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "an end token in the prompt ends the text",
    "end tokens are looked for in the whole text, not only in what was just chosen",
    read=END,
)
def ended_by_the_prompt(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        if any(i in eos_ids for i in ids.tolist()):
            break
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
    return ids


@misconception(
    "generate",
    "token 0 is no end token",
    "an id of 0 is taken for nothing, as `if id` does",
    read=END,
)
def zero_is_nothing(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    eos_ids = [i for i in eos_ids if i]
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[eos_ids] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


# -- min_new_tokens -----------------------------------------------------------------


@misconception(
    "generate",
    "min_new_tokens is ignored",
    "an end token can be chosen from the first step on",
    read=LEAST,
)
def no_least(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for _ in range(max_new_tokens):
        unseen = torch.as_tensor(choose(next_logits(unseen, weights, config, caches))).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "end tokens are impossible for one token too long",
    "the end token is still banned when min_new_tokens tokens are there",
    read=LEAST,
)
def banned_one_too_long(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n <= min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "end tokens are possible one token too early",
    "the end token may already be the token before min_new_tokens are there",
    read=LEAST,
)
def allowed_one_too_early(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n + 1 < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "an early end token is written, and the text goes on",
    "before min_new_tokens the end token is not impossible, it only does not end the text",
    read=LEAST,
)
def early_end_written(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if n >= min_new_tokens and unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "min_new_tokens counts the prompt",
    "the end token is possible once the whole text is that long",
    read=LEAST,
)
def least_in_all(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for _ in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if len(ids) < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "an impossible token has a logit of 0",
    "0 is a good score where the others are negative; impossible is −∞",
    read=LEAST,
)
def zero_for_impossible(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: logits.argmax())
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = 0.0
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "the end tokens are an index as they come",
    "an empty tuple as an index means all logits, a tuple of two means two axes, and a set is none",
    read=END,
)
def an_index_as_it_comes(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[eos_ids] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "an impossible token has a very low logit, not −∞",
    "−10⁹ is low, but what is impossible is −∞, also for who asks how likely it is",
    read=LEAST,
)
def very_low(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -1e9
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "the prompt is run token by token",
    "the text is the same, but each token of the prompt costs a step of its own",
    read=UNSEEN,
)
def token_by_token(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        for one in unseen.split(1):
            logits = next_logits(one, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


# -- more of what people really write -------------------------------------------


@misconception(
    "generate",
    "an end token is missed as the very first one",
    "it is looked for only after the first new token, so a text that ends at once goes on",
    read=END,
)
def first_end_missed(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids and n > 0:
            break
    return ids


@misconception(
    "generate",
    "end tokens stay impossible for the whole text",
    "min_new_tokens is over after so many tokens, and then they are possible again",
    read=LEAST,
)
def never_possible_again(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for _ in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "only the first of several end tokens is made impossible",
    "below min_new_tokens each of them must be",
    read=LEAST,
)
def one_end_blocked(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)[:1]] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "zeros stand behind the end token",
    "the longest possible text comes back, not cut after the end token",
    read=LOOP,
)
def zeros_behind_the_end(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    missing = len(prompt_ids) + max_new_tokens - len(ids)
    return torch.cat([ids, ids.new_zeros(missing)])


@misconception(
    "generate",
    "choose is called twice a step",
    "the second time for the end token: if it draws by chance, that is another token",
    read=CHOOSE,
)
def choose_asked_twice(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if int(choose(logits)) in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "without choose a token is drawn by chance",
    "None takes the best token, greedy",
    read=CHOOSE,
)
def drawn_by_default(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "choose is handed probabilities, not logits",
    "softmax is taken before, and what choose does to logits goes wrong",
    read=CHOOSE,
)
def choose_gets_probabilities(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = torch.as_tensor(choose(logits.softmax(dim=-1)), device=ids.device).reshape(1)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids


@misconception(
    "generate",
    "what choose gives is taken for a tensor without axes",
    "it may be an int or a tensor of shape (1,), too",
    read=CHOOSE,
)
def one_kind_of_choice(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or (lambda logits: sample(logits, temperature=0))
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids, unseen = prompt_ids, prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -math.inf
        unseen = choose(logits).unsqueeze(0)
        ids = torch.cat([ids, unseen])
        if unseen.item() in eos_ids:
            break
    return ids
