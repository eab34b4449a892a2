"""Etapa 2: gather con el índice repetido por columnas."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    filas, columnas = table.size()
    dentro = torch.logical_and(token_ids.ge(0), token_ids.lt(filas))
    if not dentro.all():
        raise IndexError(f"token ids must lie between 0 and {filas - 1}")
    indice = token_ids.long().flatten().unsqueeze(1).expand(-1, columnas)
    return torch.gather(table, 0, indice).reshape(*token_ids.shape, columnas)
