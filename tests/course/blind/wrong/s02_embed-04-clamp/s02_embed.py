# Capa de incrustación: cada id elige una fila.
def embed(token_ids, table):
    ultimo = table.size(0) - 1
    return table[token_ids.clamp(0, ultimo)]
