"""Stage 2: embed."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def position_vectors(n_tokens, size, like):
    """Sines at the even places, cosines at the odd ones."""
    place = torch.arange(n_tokens, dtype=torch.float32, device=like.device).unsqueeze(1)
    step = torch.arange(0, size, 2, dtype=torch.float32, device=like.device)
    angle = place / 10000.0 ** (step / size)
    vectors = torch.zeros(n_tokens, size, device=like.device)
    vectors[:, 0::2] = torch.sin(angle)
    vectors[:, 1::2] = torch.cos(angle)[:, : size // 2]
    return vectors.to(like.dtype)


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    vocabulary_size, hidden_size = table.shape
    outside = (token_ids < 0) | (token_ids >= vocabulary_size)
    if outside.any():
        raise IndexError(f"token ids must lie between 0 and {vocabulary_size - 1}")

    token_vectors = table[token_ids.long()]
    # the model must know which token it is and where it stands
    return token_vectors + position_vectors(token_ids.shape[-1], hidden_size, table)
