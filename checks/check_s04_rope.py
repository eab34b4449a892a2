"""Stage 4 · RoPE."""

import math

import torch

from token_journey.checking import captured, expect, expect_written, unpack
from token_journey.packs.manifest import SCALED_ROPE

from . import manners

EPS = torch.finfo(torch.float32).eps
HEADS = ("head", "token", "dim")
TABLE = ("token", "dim")

# Each pair turns half as fast as the one before: products of these and of whole
# numbers are exact in float32, so nothing but the cosine itself is rounded.
HALVING = torch.tensor([1.0, 0.5, 0.25, 0.125])
LATER = torch.tensor([11, 12, 5, 5, 1003, 100_003, -3])


def random(*shape, seed=4):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tables(positions, frequencies):
    """Cosines and sines in float64, as float32, each angle once for each half."""
    angles = positions[:, None].double() * frequencies.double()
    return angles.cos().repeat(1, 2).float(), angles.sin().repeat(1, 2).float()


def turned(x, positions, frequencies):
    """(first half, second half) as points of the complex plane, times e^{imθ}; in float64."""
    angles = positions[:, None].double() * frequencies.double()
    first, second = x.double().chunk(2, dim=-1)
    points = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([points.real, points.imag], dim=-1).float()


def angle_rounding(furthest):
    """How far rounding may move the cosine of an angle m·θ_i, for positions up to `furthest`.

    θ_i is e^−u with u = (2i/d) ln theta. Three roundings of half an eps in u move
    it by 1.5 eps · u e^−u, which is at most 0.6 eps; the power, a division and the
    product m·θ_i add half an eps each, and the cosine its own. That makes 2 eps a
    position, and two honest answers may lie on either side.
    """
    return 4 * EPS * (furthest + 1)


# -- what real models computed ------------------------------------------------


@captured(without=[SCALED_ROPE], out="rotary.cos", sin="rotary.sin")
def test_the_tables_of_the_model(stage, case):
    """frequencies and rotary_tables give the model's own table of angles."""
    turns = stage.frequencies(case.config.head_dim, case.config.rope_theta)
    cos, sin = unpack(stage.rotary_tables(case.positions, turns), "cos", "sin")
    allowed = angle_rounding(case.positions[-1].item())
    case.expect("out", cos, tolerance=allowed)
    case.expect("sin", sin, tolerance=allowed)


ROTATED = {
    "q": "blocks.{l}.attn.q",
    "k": "blocks.{l}.attn.k",
    "cos": "rotary.cos",
    "sin": "rotary.sin",
    "out": "blocks.{l}.attn.rot_q",
    "rot_k": "blocks.{l}.attn.rot_k",
}


@captured(**ROTATED)
@captured(part="heads", **ROTATED)
def test_what_the_model_computed(stage, case):
    """apply_rope turns the model's queries and keys as the model did."""
    case.expect("out", stage.apply_rope(case.q, case.cos, case.sin))
    case.expect("rot_k", stage.apply_rope(case.k, case.cos, case.sin))


# Only the published figures hold `*_flat`. Of each head they show five dims at
# either end, and no two of those are a pair: only position 0 can be computed.
@captured(
    partial=True,
    x="blocks.{l}.attn.q",
    out="blocks.{l}.attn.rot_q",
    flat="blocks.{l}.attn.q_flat",
)
@captured(
    partial=True,
    x="blocks.{l}.attn.k",
    out="blocks.{l}.attn.rot_k",
    flat="blocks.{l}.attn.k_flat",
)
def test_the_published_first_token(stage, case):
    """The published queries and keys of the token at position 0 are not turned."""
    d = case.config.head_dim
    shown = list(case.entry("x").visible[2])
    before, after = torch.zeros(2, len(case.x), 1, d)
    before[..., shown] = case.x[:, :1]
    after[..., shown] = case.out[:, :1]
    turns = stage.frequencies(d, case.config.rope_theta)
    cos, sin = unpack(stage.rotary_tables(case.positions[:1], turns), "cos", "sin")
    printed = case.entry("x").tolerance + case.entry("out").tolerance
    expect(
        stage.apply_rope(before, cos, sin),
        after,
        "apply_rope at position 0",
        tolerance=printed,
        axes=HEADS,
        where=case.where,
    )


# -- frequencies --------------------------------------------------------------


def test_frequencies_by_hand(stage):
    """With d = 8 and theta = 10 000 the pairs turn by 1, 0.1, 0.01 and 0.001 a position."""
    expected = torch.tensor([1.0, 0.1, 0.01, 0.001])
    expect(stage.frequencies(8, 10_000.0), expected, "frequencies(8, 10000)", axes=("pair",))


def test_frequencies_of_other_shapes(stage):
    """frequencies follows the head dim and theta that it is given."""
    for d, theta in (
        (2, 10_000.0),
        (4, 500.0),
        (64, 100_000.0),
        (128, 10_000.0),
        (128, 500_000.0),
    ):
        # Python's floats are float64.
        expected = torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)])
        # Relative: roundings of the exponent, ln(theta) at most, count in full.
        allowed = (3 + 2 * math.log(theta)) * EPS * expected
        what = f"frequencies({d}, {theta:.0f})"
        expect(stage.frequencies(d, theta), expected, what, tolerance=allowed, axes=("pair",))


# -- rotary_tables ------------------------------------------------------------


def test_tables_by_hand(stage):
    """The tables of pairs that turn by 90° and by 30° a position, at positions 0, 1 and 3."""
    positions, turns = torch.tensor([0, 1, 3]), torch.tensor([math.pi / 2, math.pi / 6])
    root = math.sqrt(3) / 2
    cos = torch.tensor([[1, 1, 1, 1], [0, root, 0, root], [0, 0, 0, 0]])
    sin = torch.tensor([[0, 0, 0, 0], [1, 0.5, 1, 0.5], [-1, 1, -1, 1]])
    expect_tables(stage, positions, turns, (cos, sin), angle_rounding(3))


def test_tables_of_later_positions(stage):
    """A token's angles come from its position, any whole number, wherever it stands in the list."""
    expect_tables(stage, LATER, HALVING, tables(LATER, HALVING), 4 * EPS)


def test_the_table_of_one_token(stage):
    """One token at a late position, as when a text is continued, gives a table of one row."""
    last = LATER[4:5]
    expect_tables(stage, last, HALVING, tables(last, HALVING), 4 * EPS)


def expect_tables(stage, positions, turns, expected, allowed):
    cos, sin = unpack(stage.rotary_tables(positions, turns), "cos", "sin")
    where = f"positions {positions.tolist()}"
    for table, of, name in zip((cos, sin), expected, ("cos", "sin"), strict=True):
        what = f"the {name} table"
        expect(table, of, what, tolerance=allowed, axes=TABLE, where=where)


def test_each_call_counts(stage):
    """Every call computes from what it is given, not from what an earlier call was given."""
    for theta in (10_000.0, 500.0):
        expected = torch.tensor([theta ** (-i / 4) for i in range(4)])
        what = f"frequencies(8, {theta:.0f}), after other calls"
        expect(stage.frequencies(8, theta), expected, what, axes=("pair",))
    # The same two tensors in each call, with other numbers in the middle.
    positions, turns = torch.tensor([3, 4, 5, 6]), HALVING.clone()
    for changed, to in ((positions, 4), (positions, 5), (turns, 0.5), (turns, 0.25)):
        expect_tables(stage, positions, turns, tables(positions, turns), 4 * EPS)
        changed[1] = to
    expect_tables(stage, positions, turns, tables(positions, turns), 4 * EPS)


# -- rotate_half --------------------------------------------------------------


def test_a_quarter_turn_by_hand(stage):
    """A quarter turn moves the second half to the front, negated."""
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    expected = torch.tensor([-4.0, -5.0, -6.0, 1.0, 2.0, 3.0])
    expect(stage.rotate_half(x), expected, "rotate_half", axes=("dim",), where="[1, 2, …, 6]")


def test_two_quarter_turns(stage):
    """rotate_half twice is a half turn, −x, at the dtype of x."""
    x = random(2, 3, 8).bfloat16()  # a minus needs no rounding
    once = manners.of_kind(stage.rotate_half(x), x, "rotate_half")
    expect(stage.rotate_half(once), -x, "rotate_half(rotate_half(x))", axes=HEADS)


# -- apply_rope ---------------------------------------------------------------


def rotate(stage, x, positions, turns=HALVING):
    """x turned by apply_rope alone: its tables are torch's."""
    return stage.apply_rope(x, *tables(positions, turns))


def test_which_features_are_a_pair(stage):
    """Feature i turns together with feature i + d/2, not with its neighbour."""
    # Head h holds a 1 at feature h and nothing else.
    x = torch.eye(8)[:, None].repeat(1, 3, 1)
    positions = torch.tensor([1, 2, 5])
    expected = turned(x, positions, HALVING)
    expect(rotate(stage, x, positions), expected, "apply_rope of single features", axes=HEADS)


def test_batches(stage):
    """Any number of axes in front."""
    manners.expect_batches(call(stage), random(2, 5, 8), what="apply_rope")
    manners.expect_batches(stage.rotate_half, random(2, 5, 8), what="rotate_half")


def test_other_positions(stage):
    """apply_rope turns each token by the angles of its own row."""
    x = random(3, len(LATER), 8)
    expected = turned(x, LATER, HALVING)
    expect(rotate(stage, x, LATER), expected, "apply_rope", axes=HEADS, where=f"{LATER.tolist()}")


def test_as_many_heads_as_tokens(stage):
    """Angles belong to tokens, not to heads."""
    x, positions = random(4, 4, 8), torch.arange(4)
    expected = turned(x, positions, HALVING)
    expect(rotate(stage, x, positions), expected, "apply_rope of 4 heads, 4 tokens", axes=HEADS)


def test_position_0(stage):
    """A token at position 0 is not turned."""
    x = random(3, 1, 8)
    expect(rotate(stage, x, torch.tensor([0])), x, "apply_rope at position 0", axes=HEADS)


def test_lengths(stage):
    """Turning keeps the length of every pair, at any head size."""
    positions = torch.tensor([0, 3, 40])
    for d in (2, 4, 64, 128):
        x = random(2, 3, d)
        result = rotate(stage, x, positions, 0.9 ** torch.arange(d // 2))
        result = manners.of_kind(result, x, "apply_rope")
        what = "the length of each pair after apply_rope"
        expect(lengths(result), lengths(x), what, axes=HEADS, where=f"d = {d}")


def lengths(x):
    return x.unflatten(-1, (2, -1)).norm(dim=-2)


def test_turns_add_up(stage):
    """Turning to position 3 and on by 4 is turning to position 7."""
    x = random(2, 1, 8)
    there = manners.of_kind(rotate(stage, x, torch.tensor([3])), x, "apply_rope")
    expected = turned(x, torch.tensor([7]), HALVING)
    expect(rotate(stage, there, torch.tensor([4])), expected, "apply_rope twice", axes=HEADS)


def test_only_the_distance_counts(stage):
    """Scores don't change when all tokens move on by the same number of positions."""
    q, k = random(2, 6, 8, seed=1), random(2, 6, 8, seed=2)
    expected = scores(stage, q, k, torch.arange(6))
    for moved in (7, 1000):
        actual = scores(stage, q, k, torch.arange(moved, moved + 6))
        what = f"Q Kᵀ, all tokens {moved} positions further on"
        expect(actual, expected, what, axes=("head", "query", "key"))


def scores(stage, q, k, positions):
    """By the learner's own tables."""
    cos, sin = unpack(stage.rotary_tables(positions, HALVING), "cos", "sin")
    q, k = (manners.of_kind(stage.apply_rope(x, cos, sin), x, "apply_rope") for x in (q, k))
    return q @ k.mT


# -- manners ------------------------------------------------------------------


def call(stage):
    """apply_rope at positions 3, 4, …; in a batch of half precision the tables stay float32."""
    return lambda x: rotate(stage, x, torch.arange(3, 3 + x.shape[-2]))


def test_bfloat16(stage):
    """bfloat16 in, bfloat16 out, though the tables are float32."""
    manners.expect_bfloat16(call(stage), random(2, 5, 8), what="apply_rope")


def test_tables_stay_in_float32(stage):
    """In half precision only the result is rounded, not the cosines and sines before.

    A rounded cosine is off by the same for every vector, the roundings of results are off to
    either side: over many vectors those cancel and that one stays.
    """
    many, positions = 8192, torch.tensor([1, 2, 5])
    x = random(many, 3, 8).bfloat16()
    result = manners.of_kind(rotate(stage, x, positions), x, "apply_rope")
    # (a, b) becomes (a', b') = (ac − bs, bc + as): a a' + b b' is c, and a b' − b a' is s, times
    # a² + b².
    (a, b), (a_turned, b_turned) = (pairs.double().chunk(2, dim=-1) for pairs in (x, result))
    cos, sin = (a * a_turned + b * b_turned).sum(0), (a * b_turned - b * a_turned).sum(0)
    actual = torch.cat([cos, sin], dim=-1) / (a * a + b * b).sum(0).repeat(1, 2)
    cos, sin = tables(positions, HALVING)
    expected = torch.cat([cos[:, :4], sin[:, 4:]], dim=-1)
    allowed = 2 * torch.finfo(torch.bfloat16).eps / many**0.5
    what = "by which cosines and sines apply_rope turned 8,192 vectors in bfloat16, on average"
    expect(actual.float(), expected, what, tolerance=allowed, axes=TABLE)


def test_heads_as_they_come(stage):
    """Heads that were cut out of a larger tensor need not lie side by side in memory."""
    x = random(5, 2, 8).transpose(0, 1)
    expected = turned(x, torch.arange(3, 8), HALVING)
    expect(call(stage)(x), expected, "apply_rope of a transposed tensor", axes=HEADS)


def test_gradients(stage):
    """Gradients flow through apply_rope."""
    manners.expect_gradients(call(stage), random(2, 5, 8), what="apply_rope")


def test_a_new_tensor(stage):
    """rotate_half returns a new tensor, not another view of x."""
    manners.expect_new(stage.rotate_half, random(2, 6, 8), what="rotate_half")


def test_input_unchanged(stage):
    """apply_rope, rotate_half and rotary_tables leave their inputs as they were."""
    inputs = random(2, len(LATER), 8), *tables(LATER, HALVING)
    manners.expect_inputs_unchanged(stage.apply_rope, *inputs, what="apply_rope")
    manners.expect_inputs_unchanged(stage.rotate_half, random(2, 6, 8), what="rotate_half")
    positions, turns = LATER.clone(), HALVING.clone()
    manners.expect_inputs_unchanged(stage.rotary_tables, positions, turns, what="rotary_tables")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The rotation is written here, not called from a library."""
    expect_written(stage, lambda: stage.frequencies(4, 10_000.0))
