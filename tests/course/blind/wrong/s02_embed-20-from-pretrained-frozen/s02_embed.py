"""Stage 2 with torch's own layer."""

from torch import nn


class Embedder:
    def __init__(self, table):
        self.size = table.shape[0]
        self.layer = nn.Embedding.from_pretrained(table)

    def __call__(self, ids):
        if ids.lt(0).any() or ids.ge(self.size).any():
            raise IndexError(f"token ids must lie between 0 and {self.size - 1}")
        return self.layer(ids)


def embed(token_ids, table):
    return Embedder(table)(token_ids)
