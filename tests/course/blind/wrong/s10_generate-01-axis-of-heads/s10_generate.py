import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self):
        self.k = None
        self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        if self.k is None:
            self.k, self.v = k, v
        else:
            self.k = torch.cat([self.k, k], dim=-3)
            self.v = torch.cat([self.v, v], dim=-3)
        return self.k, self.v


def next_logits(token_ids, weights, config, caches):
    corriente = decoder(token_ids, weights, config, caches)
    try:
        filas = weights["lm_head.weight"]
    except KeyError:  # vocabulario compartido
        filas = weights["model.embed_tokens.weight"]
    return lm_head(corriente[-1, :], weights["model.norm.weight"], filas, config.rms_norm_eps)


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    memorias = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    finales = frozenset(int(e) for e in eos_ids)

    def elegir(logits):
        return int(logits.argmax()) if choose is None else int(choose(logits))

    def seguir(nuevos, quedan, obligados):
        """Los que aún se escriben, como lista."""
        if quedan == 0:
            return []
        logits = next_logits(nuevos, weights, config, memorias)
        if obligados > 0 and finales:
            prohibidos = torch.zeros_like(logits, dtype=torch.bool)
            prohibidos[list(finales)] = True
            logits = logits.masked_fill(prohibidos, float("-inf"))
        testigo = elegir(logits)
        if testigo in finales:
            return [testigo]
        return [testigo, *seguir(torch.tensor([testigo]), quedan - 1, obligados - 1)]

    import sys

    hondo = sys.getrecursionlimit()
    sys.setrecursionlimit(max(hondo, 10 * max_new_tokens + 1000))
    try:
        escritos = seguir(prompt_ids, max_new_tokens, min_new_tokens)
    finally:
        sys.setrecursionlimit(hondo)
    return torch.cat([prompt_ids, torch.tensor(escritos, dtype=torch.int64)])
