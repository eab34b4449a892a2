"""Stage 2: embed."""

from jaxtyping import Float, Int
from torch import Tensor

PAD = 0


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    n_rows = table.size(0)
    if token_ids.numel() > 0:
        lowest, highest = int(token_ids.min()), int(token_ids.max())
        if lowest < 0 or highest >= n_rows:
            raise IndexError(f"token ids must lie between 0 and {n_rows - 1}")
    flat = token_ids.reshape(-1).long()
    rows = table.index_select(0, flat)
    # padding carries no meaning, so its vector is zero (padding_idx)
    rows = rows.masked_fill((flat == PAD).unsqueeze(-1), 0.0)
    return rows.reshape(*token_ids.shape, table.size(1))
