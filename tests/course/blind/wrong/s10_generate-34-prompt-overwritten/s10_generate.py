import torch
from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self):
        self.used = 0
        self.buffers = None

    def __len__(self):
        return self.used

    def _reserve(self, k, v, room):
        fresh = [t.new_empty(*t.shape[:-2], room, t.shape[-1]) for t in (k, v)]
        if self.buffers is not None:
            for old, new in zip(self.buffers, fresh):
                new[..., : self.used, :] = old[..., : self.used, :]
        self.buffers = fresh

    def update(self, k, v):
        end = self.used + k.shape[-2]
        if self.buffers is None or end > self.buffers[0].shape[-2]:
            self._reserve(k, v, max(16, 2 * end))
        self.buffers[0][..., self.used : end, :] = k
        self.buffers[1][..., self.used : end, :] = v
        self.used = end
        # copies, since the buffer is written to again
        return tuple(buffer[..., :end, :].clone() for buffer in self.buffers)


def next_logits(token_ids, weights, config, caches):
    last = decoder(token_ids, weights, config, caches)[-1:]
    name = "lm_head.weight" if "lm_head.weight" in weights else "model.embed_tokens.weight"
    return lm_head(last, weights["model.norm.weight"], weights[name], config.rms_norm_eps)[0]


@torch.no_grad()
def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids = prompt_ids.tolist()
    unseen = prompt_ids
    for n in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if n < min_new_tokens:
            logits[list(eos_ids)] = -torch.inf
        token = int(logits.argmax() if choose is None else choose(logits))
        ids.append(token)
        if token in eos_ids:
            break
        unseen = unseen[-1:]
        unseen[0] = token  # reuse the tensor
    return torch.tensor(ids)
