"""Wrong ways to write stage 2."""

import torch

from token_journey import misconception

RANGE = "which ids there are, and what happens to others"
LOOKUP = "what `embed` returns: which row, and nothing but that row"
SHAPE = "the shapes that go in and come out"


@misconception(
    "embed",
    "a negative id counts from the end of the table",
    "Python and torch index so, and id −1 silently becomes the last token",
    read=RANGE,
)
def wrap_around(token_ids, table):
    return table[token_ids]


@misconception(
    "embed",
    "ids out of range are moved to the nearest end of the table",
    "they are clamped, so a wrong id silently becomes another token",
    read=RANGE,
)
def clamped(token_ids, table):
    return table[token_ids.clamp(0, len(table) - 1)]


@misconception(
    "embed",
    "ids out of range are taken modulo V",
    "a wrong id silently becomes another token",
    read=RANGE,
)
def modulo(token_ids, table):
    return table[token_ids % len(table)]


@misconception(
    "embed",
    "ids out of range become vectors of zeros",
    "their one-hot row has no one in it, so a wrong id passes without an error",
    read=RANGE,
)
def one_hot_without_a_one(token_ids, table):
    all_ids = token_ids.new_tensor(range(len(table)))
    return (token_ids[..., None] == all_ids).to(table.dtype) @ table


@misconception(
    "embed",
    "ids are brought to the dtype of the table",
    "half precision can't write all whole numbers, so a large id becomes its neighbour",
    read=LOOKUP,
)
def ids_in_half(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError(f"token ids must lie between 0 and {len(table) - 1}")
    return table[token_ids.to(table.dtype).long().clamp(max=len(table) - 1)]


@misconception(
    "embed",
    "a negative id loses its sign",
    "the absolute value is taken, so a wrong id silently becomes another token",
    read=RANGE,
)
def absolute(token_ids, table):
    return table[token_ids.abs()]


@misconception(
    "embed",
    "the last id, V − 1, is refused",
    "the range is taken one too short",
    read=RANGE,
)
def last_id_refused(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table) - 1):
        raise IndexError("out of range")
    return table[token_ids]


@misconception(
    "embed",
    "id 0 is refused",
    "0 is an id like any other; only ids below it are none",
    read=RANGE,
)
def id_0_refused(token_ids, table):
    if token_ids.numel() and (token_ids.min() <= 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids]


@misconception(
    "embed",
    "ids are counted from 1",
    "each token gets the row before its own",
    read=LOOKUP,
)
def counted_from_1(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids - 1]


@misconception(
    "embed",
    "id 0 is padding and gets zeros",
    "no id is special to a Llama's table",
    read=LOOKUP,
)
def padding(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids] * (token_ids != 0)[..., None]


@misconception(
    "embed",
    "the columns are looked up, not the rows",
    "the table has one row a token, and one column a feature",
    read=SHAPE,
)
def columns(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table.mT[token_ids]


@misconception(
    "embed",
    "the vectors are scaled by √D",
    "the first transformer and Gemma do so, Llama does not",
    read=LOOKUP,
)
def scaled(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids] * table.shape[1] ** 0.5


@misconception(
    "embed",
    "positions are added",
    "the first transformer adds sines and cosines here; a Llama rotates in its attention instead",
    read="where the course puts positions",
)
def positions_added(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    n, d = token_ids.shape[-1], table.shape[1]
    positions, pairs = table.new_tensor(range(n)), table.new_tensor(range(0, d, 2))
    angles = positions[:, None] * 10_000 ** -(pairs / d)
    vectors = table[token_ids].clone()
    vectors[..., 0::2] += angles.sin()
    vectors[..., 1::2] += angles.cos()
    return vectors


@misconception(
    "embed",
    "positions are looked up, not tokens",
    "the rows 0, 1, 2, … are taken, whatever the ids are",
    read=LOOKUP,
)
def positions_looked_up(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    positions = token_ids.new_tensor(range(token_ids.shape[-1]))
    return table[positions.expand(token_ids.shape) % len(table)]


@misconception(
    "embed",
    "the vectors are brought to length 1",
    "each row is divided by its own length; the norms of a Llama come later",
    read=LOOKUP,
)
def normalised(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    vectors = table[token_ids]
    return vectors / vectors.norm(dim=-1, keepdim=True)


@misconception(
    "embed",
    "repeated tokens are given once",
    "the ids are made unique, and come out sorted besides",
    read=SHAPE,
)
def unique(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids.unique()]


@misconception(
    "embed",
    "the tokens of a text are averaged to one vector",
    "that is a bag of words; each token keeps a vector of its own",
    read=SHAPE,
)
def averaged(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids].mean(dim=-2)


@misconception(
    "embed",
    "the shape of the ids is lost",
    "a batch of texts comes out as one long text",
    read=SHAPE,
)
def flattened(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids.flatten()]


@misconception(
    "embed",
    "the vectors become float32, whatever the table is",
    "the rows should come as they are",
    read=LOOKUP,
)
def in_float32(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids].float()


@misconception(
    "embed",
    "the rows are cut off from the table",
    "they are copied as plain numbers, so no gradient reaches the table",
    read=LOOKUP,
)
def cut_off(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table.detach()[token_ids]


@misconception(
    "embed",
    "not every id is checked",
    "the first one is, or those at the ends: an id out of range between them still passes",
    read=RANGE,
)
def first_id_checked(token_ids, table):
    if token_ids.numel() and not 0 <= token_ids.flatten()[0] < len(table):
        raise IndexError("out of range")
    return table[token_ids]


@misconception(
    "embed",
    "axes of length 1 are squeezed away",
    "a batch of one text, or a text of one token, loses an axis that whoever called counts on",
    read=SHAPE,
)
def squeezed(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids.squeeze()]


@misconception(
    "embed",
    "ids are compared with the number of columns",
    "D is taken for the size of the vocabulary V, so ids of V rows are refused or let through",
    read=RANGE,
)
def bounded_by_the_columns(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= table.shape[-1]):
        raise IndexError("out of range")
    return table[token_ids]


@misconception(
    "embed",
    "a text of no tokens is an error",
    "the least and the greatest id of none are asked for",
    read=SHAPE,
)
def none_is_an_error(token_ids, table):
    if token_ids.min() < 0 or token_ids.max() >= len(table):
        raise IndexError("out of range")
    return table[token_ids]


@misconception(
    "embed",
    "the number of the position is added to the vector",
    "a row of the table is copied as it is; positions come in stage 4",
    read="where the course puts positions",
)
def position_number_added(token_ids, table):
    if token_ids.numel() and (token_ids.min() < 0 or token_ids.max() >= len(table)):
        raise IndexError("out of range")
    return table[token_ids] + torch.arange(token_ids.shape[-1]).to(table.dtype)[:, None]
