"""Stage 2 · Embed."""

import torch

from token_journey.checking import (
    CheckFailure,
    captured,
    expect,
    expect_equal,
    expect_written,
    tensor,
)

from . import manners

# Six tokens, four features; no row is another's multiple, and none is zero.
TABLE = torch.tensor(
    [
        [1.0, -2.0, 3.0, 0.5],
        [4.0, 0.0, -1.0, 2.0],
        [-3.0, 5.0, 0.25, 7.0],
        [6.0, -8.0, 9.0, -0.5],
        [0.125, 10.0, -11.0, 3.0],
        [12.0, 1.5, 2.5, -6.0],
    ]
)
IDS = torch.tensor([3, 0, 5, 3, 1])


def rows(ids, table=TABLE):
    """The rows of the table, one after the other, stacked as the ids are."""
    found = [table[i].clone() for i in ids.flatten().tolist()]
    return torch.stack(found).reshape(*ids.shape, table.shape[1])


@captured(partial=True, table="model.embed_tokens.weight", out="embed")
def test_what_the_model_computed(stage, case):
    """embed gives the vectors that enter the model's first layer."""
    ids = case.token_ids
    kept = case.entry("table").visible.get(0)
    if kept is not None:  # of a large vocabulary a pack holds some rows: count in those
        ids = torch.tensor([kept.index(i) for i in case.prompt.ids])
    case.expect("out", stage.embed(ids, case.table))


def test_rows(stage):
    """Token i becomes row i of the table, unchanged."""
    expect(stage.embed(IDS, TABLE), rows(IDS), "embed", tolerance=0.0, axes=("token", "hidden"))


def test_first_and_last_id(stage):
    """0 and V − 1 are ids like any other."""
    ids = torch.tensor([0, 5])
    expect(stage.embed(ids, TABLE), rows(ids), "embed of the first and the last id", tolerance=0.0)


def test_square_table(stage):
    """The rows are looked up, not the columns, also where the table has as many rows as columns."""
    table = TABLE[:4]
    ids = torch.tensor([1, 3, 0])
    expect(stage.embed(ids, table), rows(ids, table), "embed from a (4, 4) table", tolerance=0.0)


def what_comes_of(stage, ids, place):
    """The error's name, or which row an id that has none got instead."""
    try:
        result = stage.embed(ids, TABLE)
    except (CheckFailure, NotImplementedError):
        raise
    except IndexError:
        return "IndexError"
    except Exception as error:
        return type(error).__name__
    if not isinstance(result, torch.Tensor) or result.shape != (*ids.shape, TABLE.shape[1]):
        return "no error"
    vector = result.reshape(-1, TABLE.shape[1])[place].to(TABLE.dtype)
    same = [n for n, row in enumerate(TABLE) if torch.equal(row, vector)]
    return f"row {same[0]}" if same else "no error"


def test_ids_out_of_range(stage):
    """An id below 0 or above V − 1 is an IndexError, never another token's row."""
    ids = (-1, -6, -7, 6, 13)
    came = [f"{i}: {what_comes_of(stage, torch.tensor([i]), 0)}" for i in ids]
    expect_equal(came, [f"{i}: IndexError" for i in ids], "the result for ids without a row")


def test_out_of_range_anywhere(stage):
    """One id out of range is an IndexError, wherever in a batch it stands."""
    came = []
    for place, i in ((0, -2), (1, 7), (2, -2), (3, 7)):
        ids = torch.tensor([1, 2, 3, 4])
        ids[place] = i
        came.append(f"{i} at place {place}: {what_comes_of(stage, ids.reshape(2, 2), place)}")
    expected = [f"{said.partition(':')[0]}: IndexError" for said in came]
    expect_equal(came, expected, "the result for ids without a row, in a batch of 2 × 2")


def test_batch_of_ids(stage):
    """Ids of any shape: the table's rows come in the same shape."""
    ids = torch.tensor([[0, 4, 2], [5, 5, 1]])
    expect(stage.embed(ids, TABLE), rows(ids), "embed of (2, 3) ids", tolerance=0.0)
    ids = torch.arange(24).reshape(1, 2, 3, 4) % 6
    expect(stage.embed(ids, TABLE), rows(ids), "embed of (1, 2, 3, 4) ids", tolerance=0.0)


def test_no_ids(stage):
    """No tokens give no vectors, but still vectors of D features."""
    for shape in ((0,), (2, 0)):
        ids = torch.zeros(shape, dtype=torch.long)
        expect(stage.embed(ids, TABLE), TABLE.new_zeros(*shape, 4), f"embed of {shape} ids")


def test_dtypes(stage):
    """The rows keep the dtype of the table."""
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        table = (TABLE.double() / 3).to(dtype)
        expect(
            stage.embed(IDS, table),
            rows(IDS, table),
            f"embed from a table of {dtype}",
            tolerance=0.0,
        )


def test_ids_of_a_large_table_in_half_precision(stage):
    """Ids stay whole numbers: bfloat16 can't write the id 257, nor float16 the id 2049."""
    ids = torch.tensor([257, 259, 2049, 2051])
    table = 1 + torch.arange(2052)[:, None] % torch.tensor([7, 11])
    for dtype in (torch.bfloat16, torch.float16):
        wide, what = table.to(dtype), f"embed of {ids.tolist()} from a table of {dtype}"
        expect(stage.embed(ids, wide), rows(ids, wide), what, tolerance=0.0)


def test_transposed_storage(stage):
    """It does not matter how the table and the ids lie in memory."""
    table, ids = TABLE.mT.contiguous().mT, torch.stack([IDS, IDS]).mT[:, 0]
    expect(stage.embed(ids, table), rows(IDS), "embed from a transposed table", tolerance=0.0)


def test_gradients(stage):
    """Gradients reach the table: each row as often as its token occurs."""
    manners.expect_gradients(lambda table: stage.embed(IDS, table), TABLE, what="embed")
    table = TABLE.clone().requires_grad_()
    manners.backward(tensor(stage.embed(IDS, table), "embed").sum(), "embed")
    times = torch.bincount(IDS, minlength=6).float()[:, None].expand(6, 4)
    expect(table.grad, times, "the gradient of the table", tolerance=0.0, axes=("row", "hidden"))


def test_input_unchanged(stage):
    """embed leaves ids and table as they were."""
    manners.expect_inputs_unchanged(stage.embed, IDS.clone(), TABLE.clone(), what="embed")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The lookup is written here, not called from a library."""
    ids, table = torch.tensor([1, 0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    expect_written(stage, lambda: stage.embed(ids, table), "embedding", "embedding_bag")
