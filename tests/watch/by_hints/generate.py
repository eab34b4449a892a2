import torch


class KeyValueCache:
    def __init__(self):
        self.k = None
        self.v = None

    def __len__(self):
        if self.k is None:
            return 0
        return self.k.shape[-2]

    def update(self, k, v):
        if self.k is not None:
            k = torch.cat((self.k, k), dim=-2)
            v = torch.cat((self.v, v), dim=-2)
        self.k, self.v = k, v
        return k, v


def next_logits(token_ids, weights, config, caches):
    rows = weights.get("lm_head.weight")
    if rows is None:
        rows = weights["model.embed_tokens.weight"]
    x = decoder(token_ids, weights, config, caches)
    return lm_head(x[-1], weights["model.norm.weight"], rows, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    if choose is None:
        choose = lambda logits: sample(logits, temperature=0)
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids = unseen = prompt_ids
    for written in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if written < min_new_tokens:
            logits[list(eos_ids)] = float("-inf")
        token = torch.as_tensor(choose(logits)).reshape(1)
        ids = torch.cat((ids, token))
        unseen = token
        if int(token) in eos_ids:
            break
    return ids
