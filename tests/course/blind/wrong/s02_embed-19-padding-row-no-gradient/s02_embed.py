import torch.nn.functional as F


def embed(token_ids, table):
    biggest = table.shape[0] - 1
    if token_ids.numel() > 0 and not (0 <= token_ids.min() and token_ids.max() <= biggest):
        raise IndexError(f"token ids must lie between 0 and {biggest}")
    # id 0 is the pad token in most tokenizers
    return F.embedding(token_ids, table, padding_idx=0)
