import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head
from .s09_softmax import sample


class KeyValueCache:
    def __init__(self):
        self.k, self.v = [], []  # one entry a token

    def __len__(self):
        return len(self.k)

    def update(self, k, v):
        self.k.extend(k.unbind(dim=-2))
        self.v.extend(v.unbind(dim=-2))
        return torch.stack(self.k, dim=-2), torch.stack(self.v, dim=-2)


def next_logits(token_ids, weights, config, caches):
    x = decoder(token_ids, weights, config, caches)
    matrix = weights["model.embed_tokens.weight"]
    if "lm_head.weight" in weights:
        matrix = weights["lm_head.weight"]
    return lm_head(x[len(x) - 1], weights["model.norm.weight"], matrix, config.rms_norm_eps)


class Session:
    def __init__(self, prompt, weights, config):
        self.weights, self.config = weights, config
        self.caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
        self.ids, self.unseen = [int(i) for i in prompt], prompt

    def step(self, choose, forbidden):
        logits = next_logits(self.unseen, self.weights, self.config, self.caches)
        for token in forbidden:
            logits = logits.masked_fill(torch.arange(len(logits)) == token, float("-inf"))
        token = int(choose(logits))
        self.ids.append(token)
        self.unseen = torch.tensor([token])
        return token


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    def best(logits):
        return sample(logits, temperature=0)

    session = Session(prompt_ids, weights, config)
    for n in range(1, max_new_tokens + 1):
        forbidden = eos_ids if n <= min_new_tokens else ()
        session.step(choose or best, forbidden)
    return torch.tensor(session.ids, dtype=torch.int64)
