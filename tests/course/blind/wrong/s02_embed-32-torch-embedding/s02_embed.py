"""Etapa 2 · cada id, una fila."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    """F.embedding de torch (en CPU) ya rechaza los ids negativos; por si acaso, se miran antes."""
    filas = table.shape[0]
    malos = [i for i in token_ids.reshape(-1).tolist() if i < 0 or i >= filas]
    try:
        if malos:
            raise IndexError(malos)
        return F.embedding(token_ids.long(), table)
    except IndexError as error:
        raise IndexError(f"token ids must lie between 0 and {filas - 1}") from error
