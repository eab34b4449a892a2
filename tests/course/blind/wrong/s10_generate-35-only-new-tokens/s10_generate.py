import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head

CLAU, VALOR = 0, 1


class KeyValueCache:
    """Un sol tensor amb claus i valors, apilats en un eix nou davant de tot."""

    def __init__(self):
        self.tot = None

    def __len__(self):
        return 0 if self.tot is None else self.tot.size(-2)

    def update(self, k, v):
        nous = torch.stack([k, v])
        self.tot = nous if self.tot is None else torch.cat([self.tot, nous], dim=-2)
        return self.tot[CLAU], self.tot[VALOR]


def next_logits(token_ids, weights, config, caches):
    corrent = decoder(token_ids, weights, config, caches)
    matriu = weights["lm_head.weight"] if "lm_head.weight" in weights else None
    if matriu is None:  # vocabulari lligat
        matriu = weights["model.embed_tokens.weight"]
    return lm_head(corrent[-1], weights["model.norm.weight"], matriu, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    memories = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    nous, vist = [], prompt_ids
    for escrits in range(max_new_tokens):
        logits = next_logits(vist, weights, config, memories)
        if escrits < min_new_tokens:
            for final in eos_ids:
                logits = logits.index_fill(-1, torch.tensor([final]), float("-inf"))
        triat = int(logits.argmax() if choose is None else choose(logits))
        nous.append(triat)
        vist = torch.tensor([triat])
        if triat in eos_ids:
            break
    return torch.tensor(nous, dtype=torch.int64)
