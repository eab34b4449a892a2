"""Stage 5 · Grouped-query attention."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from token_journey.checking import (
    captured,
    expect,
    expect_equal,
    expect_true,
    expect_written,
    rounding,
    tensor,
)

from . import manners

HIDDEN = ("token", "hidden")
HEADS = ("head", "token", "dim")
PATTERN = ("head", "query", "key")
Q, K, V, OUT = (f"self_attn.{part}_proj.weight" for part in "qkvo")


def random(*shape, seed=5):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tril(n):
    return torch.ones(n, n, dtype=torch.bool).tril()


def shared(x, n_heads):
    """Key/value heads, one for each query head."""
    return x.repeat_interleave(n_heads // x.shape[-3], dim=-3)


# -- what real models computed ------------------------------------------------


@captured(
    x="blocks.{l}.ln1.out",
    wq="model.layers.{l}.self_attn.q_proj.weight",
    wk="model.layers.{l}.self_attn.k_proj.weight",
    wv="model.layers.{l}.self_attn.v_proj.weight",
    wo="model.layers.{l}.self_attn.o_proj.weight",
    cos="rotary.cos",
    sin="rotary.sin",
    out="blocks.{l}.attn_out",
)
@captured(
    part="heads",
    x="blocks.{l}.ln1.out",
    wq="model.layers.{l}.self_attn.q_proj.weight",
    wk="model.layers.{l}.self_attn.k_proj.weight",
    wv="model.layers.{l}.self_attn.v_proj.weight",
    cos="rotary.cos",
    sin="rotary.sin",
    out="blocks.{l}.attn.z",
)
def test_what_the_model_computed(stage, case):
    """grouped_query_attention gives what the model's attention gave."""
    # Where a pack holds some heads, an identity in the place of W_o lets their z through.
    wo = torch.eye(case.x.shape[-1], len(case.wq)) if case.part else case.wo
    weights = {Q: case.wq, K: case.wk, V: case.wv, OUT: wo}
    out = stage.grouped_query_attention(case.x, weights, case.cos, case.sin, *case.heads)
    if not case.part:
        case.expect("out", out)
        return
    z, allowed = case.out.mT.flatten(0, 1).mT @ wo.mT, case.entry("out").tolerance
    expect(out, z, "pattern @ V, merged", tolerance=allowed, axes=HIDDEN, where=case.where)


SPLIT = {
    "x": "blocks.{l}.ln1.out",
    "wq": "model.layers.{l}.self_attn.q_proj.weight",
    "wk": "model.layers.{l}.self_attn.k_proj.weight",
    "wv": "model.layers.{l}.self_attn.v_proj.weight",
    "out": "blocks.{l}.attn.q",
    "k": "blocks.{l}.attn.k",
    "v": "blocks.{l}.attn.v",
}


@captured(**SPLIT)
@captured(part="heads", **SPLIT)
def test_the_heads_of_the_model(stage, case):
    """split_heads cuts queries, keys and values as the model does."""
    heads = case.heads
    case.expect("out", stage.split_heads(case.x @ case.wq.mT, heads[0]))
    case.expect("k", stage.split_heads(case.x @ case.wk.mT, heads[1]))
    case.expect("v", stage.split_heads(case.x @ case.wv.mT, heads[1]))


LOOKED = {
    "q": "blocks.{l}.attn.rot_q",
    "k": "blocks.{l}.attn.rot_k",
    "out": "blocks.{l}.attn.pattern",
}


@captured(**LOOKED)
@captured(part="heads", **LOOKED)
def test_the_pattern_of_the_model(stage, case):
    """attention_pattern gives the model's own patterns."""
    mask = tril(len(case.prompt.ids))
    case.expect("out", stage.attention_pattern(case.q, shared(case.k, len(case.q)), mask))


MERGED = {
    "z": "blocks.{l}.attn.z",
    "wo": "model.layers.{l}.self_attn.o_proj.weight",
    "out": "blocks.{l}.attn_out",
}


@captured(**MERGED)
@captured(part="outputs", **MERGED)
def test_the_merged_heads_of_the_model(stage, case):
    """merge_heads puts the heads side by side as the model's output projection expects them."""
    merged = manners.of_kind(stage.merge_heads(case.z), case.z.mT.flatten(0, 1).mT, "merge_heads")
    case.expect("out", merged @ case.wo.mT)


@captured(out="blocks.0.attn.scores")
def test_the_mask_of_the_model(stage, case):
    """causal_mask allows what the model allowed."""
    seen = case.out[0].isfinite()
    expect(
        stage.causal_mask(*seen.shape),
        seen,
        f"causal_mask({seen.shape[0]}, {seen.shape[1]})",
        axes=PATTERN[1:],
        where=case.where,
    )


# Only the published figures hold `*_flat`: the first five and the last five of
# each token's numbers, and of each head's. Those of the first and the last head
# are the same numbers twice.
@captured(partial=True, flat="blocks.{l}.attn.q_flat", out="blocks.{l}.attn.q")
@captured(partial=True, flat="blocks.{l}.attn.k_flat", out="blocks.{l}.attn.k")
@captured(partial=True, flat="blocks.{l}.attn.v_flat", out="blocks.{l}.attn.v")
def test_the_published_heads(stage, case):
    """split_heads cuts the published queries, keys and values where the model cuts."""
    n_heads, d = len(case.out), case.config.head_dim
    shown = list(case.entry("flat").visible[1])
    flat, expected = torch.zeros(len(case.flat), n_heads * d), torch.zeros(n_heads, 5, d)
    flat[:, shown] = case.flat
    expected[0, :, :5], expected[-1, :, -5:] = case.out[0, :, :5], case.out[-1, :, -5:]
    what = f"split_heads(…, {n_heads})"
    expect(stage.split_heads(flat, n_heads), expected, what, axes=HEADS, where=case.where)


@captured(partial=True, z="blocks.{l}.attn.z", out="blocks.{l}.attn.z_flat")
def test_the_published_merged_heads(stage, case):
    """merge_heads gives the published vector of each token."""
    whole = case.z.mT.flatten(0, 1).mT
    shown = list(case.entry("out").visible[1])
    merged = manners.of_kind(stage.merge_heads(case.z), whole, "merge_heads")
    case.expect("out", merged[:, shown], tolerance=0.0)  # the same numbers, printed twice


@captured(
    partial=True,
    raw="blocks.{l}.attn.scores_raw",
    out="blocks.{l}.attn.pattern",
    flat="blocks.{l}.attn.q_flat",
)
def test_the_published_pattern(stage, case):
    """The published Q Kᵀ gives the published pattern."""
    heads, length, _ = case.raw.shape
    d = case.config.head_dim
    # With the first rows of an identity matrix for keys, q kᵀ is what q starts with.
    q, k = F.pad(case.raw, (0, d - length)), torch.eye(d)[:length].repeat(heads, 1, 1)
    # Scores that are off by δ move a probability p by 2δ p(1 − p) at most, and that by δ/2.
    allowed = case.entry("raw").tolerance / math.sqrt(d) / 2 + case.entry("out").tolerance
    allowed += rounding(torch.ones(1))
    case.expect("out", stage.attention_pattern(q, k, tril(length)), tolerance=allowed)


# -- heads --------------------------------------------------------------------

TWO_HEADS = torch.arange(24.0).view(3, 8)
CUT = torch.stack([TWO_HEADS[:, :4], TWO_HEADS[:, 4:]])


def test_split_by_hand(stage):
    """The first half of each token's numbers is head 0, the second half is head 1."""
    expect(stage.split_heads(TWO_HEADS, 2), CUT, "split_heads of 3 tokens, 2 heads", axes=HEADS)


def test_merge_by_hand(stage):
    """merge_heads puts each token's heads side by side again."""
    expect(stage.merge_heads(CUT), TWO_HEADS, "merge_heads of 2 heads, 3 tokens", axes=HIDDEN)


def test_as_many_heads_as_tokens(stage):
    """With 3 heads, 3 tokens and d = 3 every shape fits, but only one order is right."""
    x = torch.arange(27.0).view(3, 9)
    heads = torch.stack(x.split(3, dim=1))
    expect(stage.split_heads(x, 3), heads, "split_heads of 3 tokens, 3 heads", axes=HEADS)
    expect(stage.merge_heads(heads), x, "merge_heads of 3 heads, 3 tokens", axes=HIDDEN)


def test_repeat_by_hand(stage):
    """Neighbouring query heads share a key/value head: 0 0 0 1 1 1."""
    x = random(2, 4, 5)
    expected = x[[0, 0, 0, 1, 1, 1]]
    expect(stage.repeat_kv(x, 3), expected, "repeat_kv of 2 heads for groups of 3", axes=HEADS)


def test_batches_of_heads(stage):
    """Any number of axes in front, for the functions on heads."""
    heads = random(2, 3, 4)
    for call, x, what in (
        (lambda x: stage.split_heads(x, 2), random(3, 8), "split_heads"),
        (stage.merge_heads, heads, "merge_heads"),
        (lambda x: stage.repeat_kv(x, 3), heads, "repeat_kv"),
    ):
        manners.expect_batches(call, x, what=what)


def test_one_for_all(stage):
    """One key/value head for all query heads, or one for each."""
    x = random(3, 4, 5)
    expect(stage.repeat_kv(x[:1], 3), x[[0, 0, 0]], "repeat_kv of 1 head for 3", axes=HEADS)
    expect(stage.repeat_kv(x, 1), x, "repeat_kv of 3 heads for 1 each", axes=HEADS)


# -- mask ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        ("x..", "xx.", "xxx"),
        ("xxxx.", "xxxxx"),
        ("xxxxx",),
        ("xx...", "xxx..", "xxxx.", "xxxxx"),
        ("x",),
    ],
    ids=lambda rows: f"{len(rows)} of {len(rows[-1])}",
)
def test_who_may_look(stage, rows):
    """The queries are the last tokens; each may look at itself and at all before it."""
    expected = torch.tensor([[place == "x" for place in row] for row in rows])
    what = f"causal_mask({len(rows)}, {len(rows[-1])})"
    expect(stage.causal_mask(*expected.shape), expected, what, axes=PATTERN[1:])


def test_a_long_text(stage):
    """A text may be of any length: here a new token looks at 4,200."""
    expected = torch.ones(2, 4200, dtype=torch.bool)
    expected[0, -1] = False
    expect(stage.causal_mask(2, 4200), expected, "causal_mask(2, 4200)", axes=PATTERN[1:])


# -- pattern ------------------------------------------------------------------


def pattern(q, k, mask):
    """By torch's own attention in float64: with the identity for values, it returns its pattern."""
    one_hot = torch.eye(k.shape[-2]).double().expand(*k.shape[:-1], -1)
    return F.scaled_dot_product_attention(q.double(), k.double(), one_hot, attn_mask=mask).float()


def expect_pattern(stage, q, k, mask, what):
    expect(stage.attention_pattern(q, k, mask), pattern(q, k, mask), what, axes=PATTERN)


def test_pattern_by_hand(stage):
    """With d = 4, scores of 2 ln 3 and 0 become e^(ln 3) : e^0 = 3 : 1."""
    q = torch.tensor([[[2 * math.log(3), 0.0, 0.0, 0.0]]])
    expected = torch.tensor([[[0.75, 0.25]]])
    mask = torch.tensor([[True, True]])
    actual = stage.attention_pattern(q, torch.eye(2, 4)[None], mask)
    expect(actual, expected, "attention_pattern", axes=PATTERN)


def test_sharp_patterns(stage):
    """Scores of up to ±10, where every factor and every mask shows."""
    q, k = 2.5 * random(3, 5, 7, seed=1), random(3, 5, 7, seed=2)
    expect_pattern(stage, q, k, tril(5), "attention_pattern of sharp scores")


def test_fewer_queries_than_keys(stage):
    """Two new tokens look at all five tokens that are there."""
    q, k = 2.5 * random(3, 2, 4, seed=1), random(3, 5, 4, seed=2)
    mask = torch.tensor([[True, True, True, True, False], [True] * 5])
    expect_pattern(stage, q, k, mask, "attention_pattern of 2 queries, 5 keys")


def test_other_masks(stage):
    """The mask that is given decides: here it is not causal."""
    q, k = 2.5 * random(3, 4, 6, seed=1), random(3, 4, 6, seed=2)
    itself = torch.eye(4, dtype=torch.bool)
    for mask, where in (
        (itself, "each may look only at itself"),
        (~itself, "each may look only at the others"),
        (torch.ones_like(itself), "all may look at all"),
        (tril(4).mT, "each may look at itself and at what follows"),
    ):
        actual = stage.attention_pattern(q, k, mask)
        what = "attention_pattern with another mask"
        expect(actual, pattern(q, k, mask), what, axes=PATTERN, where=where)


def test_rows_sum_to_1(stage):
    """Each row of the pattern sums to 1."""
    q, k = random(3, 5, 4, seed=1), random(3, 5, 4, seed=2)
    rows = tensor(stage.attention_pattern(q, k, tril(5)), "attention_pattern").sum(dim=-1)
    expect(rows, torch.ones(3, 5), "the sum of each row of the pattern", axes=PATTERN[:2])


def test_large_scores(stage):
    """Scores of 10 000 don't overflow, and low ones are not lower than those of the future."""
    scores = torch.tensor(
        [
            [-100.0, 500.0, 0.0, 0.0],
            [10_000.0, 10_001.0, 0.0, 0.0],
            [-1000.0, -1001.0, -1000.0, 100.0],
            [0.0, 1.0, 2.0, 3.0],
        ]
    )
    # √d = 2, and with the identity for keys q kᵀ is q: nothing need be rounded.
    q, k = 2 * scores[None], torch.eye(4)[None]
    # Who scales queries and keys first may round four times: by half an eps of a score s each,
    # by 2 eps s together, and that moves a probability by eps s at most.
    eps = torch.finfo(torch.float32).eps
    allowed = eps * scores.abs().amax(dim=-1, keepdim=True).expand(1, 4, 4) + 4 * eps
    actual, expected = stage.attention_pattern(q, k, tril(4)), pattern(q, k, tril(4))
    what = "attention_pattern of large scores"
    expect(actual, expected, what, tolerance=allowed, axes=PATTERN)


def test_forbidden_keys_never_win(stage):
    """What is not allowed is exactly 0, however low the scores of what is allowed are."""
    mask = torch.tensor([[True, False, False], [True, True, False]])
    # √d = 2, and with the identity for keys q kᵀ is q: allowed scores of −10²⁰, the others 0.
    q = torch.tensor([[[-2e20, 0.0, 0.0, 0.0], [-2e20, -2e20, 0.0, 0.0]]])
    expected = torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])
    actual = stage.attention_pattern(q, torch.eye(3, 4)[None], mask)
    expect(actual, expected, "attention_pattern of very low scores", axes=PATTERN)


# -- attention ----------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """Inputs of attention, made so that patterns are sharp; positions start at 3."""

    x: Tensor
    weights: dict[str, Tensor]
    cos: Tensor
    sin: Tensor
    heads: tuple[int, int]

    @property
    def inputs(self):
        return self.x, self.weights, self.cos, self.sin, *self.heads


def example(n_heads, n_kv_heads, d=4, hidden=10, positions=range(3, 8), scores=3.0):
    """`scores` is about how large they get."""
    # Powers of 1/4: these angles are exact in float32.
    angles = torch.tensor(positions)[:, None] * 0.25 ** torch.arange(d // 2)
    side = (scores / hidden) ** 0.5
    weights = {
        Q: side * random(n_heads * d, hidden, seed=1),
        K: side * random(n_kv_heads * d, hidden, seed=2),
        V: hidden**-0.5 * random(n_kv_heads * d, hidden, seed=3),
        OUT: (n_heads * d) ** -0.5 * random(hidden, n_heads * d, seed=4),
    }
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    return Example(random(len(positions), hidden), weights, cos, sin, (n_heads, n_kv_heads))


def grouped():
    """T = 5, D = 10, H = 6, K = 2, G = 3, d = 4: no two of them are the same number."""
    return example(6, 2)


def projected(e, dtype=torch.float64):
    """Rotated queries and keys, and values, by torch's own functions."""
    x, weights, cos, sin, n_heads, n_kv_heads = e.inputs
    flat = (F.linear(x.to(dtype), weights[name].to(dtype)) for name in (Q, K, V))
    counts = n_heads, n_kv_heads, n_kv_heads
    q, k, v = (
        f.unflatten(-1, (n, -1)).transpose(-3, -2) for f, n in zip(flat, counts, strict=True)
    )
    turns = torch.complex(cos.to(dtype), sin.to(dtype)).chunk(2, dim=-1)[0]
    q, k = (torch.complex(*heads.chunk(2, dim=-1)) * turns for heads in (q, k))
    return *(torch.cat([heads.real, heads.imag], dim=-1) for heads in (q, k)), v


def attention(e, dtype=torch.float64):
    """The whole of it by torch's own functions."""
    q, k, v = projected(e, dtype)
    k, v = shared(k, e.heads[0]), shared(v, e.heads[0])
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return F.linear(z.transpose(-3, -2).flatten(-2), e.weights[OUT].to(dtype)).float()


def allowed(e):
    """Eight times what rounding does to torch's own attention in float32, as in the packs."""
    exact = attention(e)
    error = (attention(e, torch.float32) - exact).abs().max().item()
    return 8 * error + rounding(exact, terms=1)


def expect_attention(stage, e, what, where=""):
    actual = stage.grouped_query_attention(*e.inputs)
    expect(actual, attention(e), what, tolerance=allowed(e), axes=HIDDEN, where=where)


def test_six_heads_share_two(stage):
    """Six query heads share two key/value heads, three each."""
    expect_attention(stage, grouped(), "grouped-query attention", "H = 6, K = 2, d = 4, D = 10")


def test_batches(stage):
    """Any number of axes in front, for attention and its pattern."""
    q, k = random(2, 5, 4, seed=1), random(2, 5, 4, seed=2)
    manners.expect_batches(pattern_call(stage), q, k, what="attention_pattern", batched=2)
    e = grouped()
    manners.expect_batches(
        attention_call(stage, e), e.x, *e.weights.values(), what="grouped_query_attention"
    )


def test_a_head_for_each(stage):
    """With K = H it is plain multi-head attention."""
    e = example(4, 4, hidden=16)  # square weights: one that is not transposed fits, too
    expect_attention(stage, e, "multi-head attention", "H = K = 4, d = 4, D = 16")


def test_one_head_for_all(stage):
    """With K = 1 all query heads share one key/value head: multi-query attention."""
    expect_attention(stage, example(4, 1, d=6), "multi-query attention", "H = 4, K = 1, d = 6")


def test_a_single_token(stage):
    """A single token looks at itself: the output projection gets its values as they are."""
    expect_attention(stage, example(6, 2, positions=[3]), "attention of one token", "T = 1")


def test_no_look_into_the_future(stage):
    """What comes later in the text changes nothing for the tokens before it."""
    e = grouped()
    before = manners.of_kind(stage.grouped_query_attention(*e.inputs), e.x, "attention")
    e.x[3:] = 7 * random(2, 10, seed=6)
    after = manners.of_kind(stage.grouped_query_attention(*e.inputs), e.x, "attention")
    what = "attention of the first 3 tokens, once the last 2 are others"
    expect(after[:3], before[:3], what, tolerance=allowed(e), axes=HIDDEN)


def test_the_first_token_sees_only_itself(stage):
    """However low the score of the first token with itself is, nothing else may be looked at."""
    e = grouped()
    # The keys of a group are a query of it, turned round: a score with itself of about −10²⁰.
    one = Example(e.x, {**e.weights, K: -1e20 * e.weights[Q][4:12]}, e.cos, e.sin, e.heads)
    actual = manners.of_kind(stage.grouped_query_attention(*one.inputs), e.x, "attention")
    first = Example(e.x[:1], e.weights, e.cos[:1], e.sin[:1], e.heads)
    what = "attention of the first token, whose score with itself is very low"
    expect(actual[:1], attention(first), what, tolerance=allowed(first), axes=HIDDEN)


def test_only_distances_count(stage):
    """When all tokens stand 40 positions further on, attention gives the same."""
    near = example(6, 2, positions=[0, 1, 5, 6, 20])
    far = example(6, 2, positions=[40, 41, 45, 46, 60])
    actual = stage.grouped_query_attention(*far.inputs)
    what = "attention, all tokens 40 positions further on"
    expect(actual, attention(near), what, tolerance=allowed(near) + allowed(far), axes=HIDDEN)


def test_weights_are_left_alone(stage):
    """The mapping of weights is only read, by its names; it may hold more than is needed."""
    e = grouped()
    weights = {
        "input_layernorm.weight": random(10),
        **dict(reversed(e.weights.items())),
        "mlp.up_proj.weight": random(3, 10),
    }
    given = dict(weights)
    whole = Example(e.x, weights, e.cos, e.sin, e.heads)
    expect_attention(stage, whole, "attention with all weights of a layer, in another order")
    expect_true(
        list(weights) == list(given) and all(weights[name] is given[name] for name in given),
        "grouped_query_attention changed the mapping of weights: only read from it.",
    )


# -- cache --------------------------------------------------------------------


class Cache:
    """Keeps what it is given. Its length is the number of tokens in it, 0 at first."""

    def __init__(self):
        self.calls = 0
        self.k = self.v = None

    def __len__(self):
        return 0 if self.k is None else self.k.shape[-2]

    def update(self, k, v):
        self.calls += 1
        self.k = k if self.k is None else torch.cat([self.k, k], dim=-2)
        self.v = v if self.v is None else torch.cat([self.v, v], dim=-2)
        return self.k, self.v


@pytest.mark.parametrize("steps", [(5,), (1, 1, 1, 1, 1), (3, 1, 1), (2, 2, 1), (1, 3, 1)], ids=str)
def test_step_by_step(stage, steps):
    """With a cache, a text in pieces gives what the whole text gives."""
    e, cache, start = grouped(), Cache(), 0
    expected = attention(e)
    for step in steps:
        new = slice(start, start + step)
        actual = stage.grouped_query_attention(
            e.x[new], e.weights, e.cos[new], e.sin[new], *e.heads, cache=cache
        )
        expect_equal(cache.calls, 1, "the number of calls of cache.update, for each piece")
        tokens = "1 new token" if step == 1 else f"{step} new tokens"
        where = f"{tokens}, {start} in the cache"
        what = "attention with a cache"
        expect(actual, expected[new], what, tolerance=allowed(e), axes=HIDDEN, where=where)
        cache.calls, start = 0, start + step


def test_what_the_cache_is_given(stage):
    """The cache is given rotated keys and the values, K heads of each, of a whole batch at once."""
    e, cache = grouped(), Cache()
    e = Example(torch.stack([e.x, -e.x, 2 * e.x]), e.weights, e.cos, e.sin, e.heads)
    stage.grouped_query_attention(*e.inputs, cache=cache)
    expect_equal(cache.calls, 1, "the number of calls of cache.update, for a batch of three")
    _, k, v = (heads.float() for heads in projected(e))
    axes = ("text", "key/value head", "token", "dim")
    expect(cache.k, k, "the first argument of cache.update, the keys", axes=axes)
    expect(cache.v, v, "the second argument of cache.update, the values", axes=axes)


def test_what_the_cache_returns(stage):
    """All keys and values come from the cache, whatever it keeps."""
    e, cache = grouped(), Cache()
    old = slice(0, 3)
    earlier = Example(-e.x[old], e.weights, e.cos[old], e.sin[old], e.heads)
    whole = Example(torch.cat([-e.x[old], e.x[3:]]), e.weights, e.cos, e.sin, e.heads)
    _, k, v = (heads.float() for heads in projected(earlier))
    cache.update(k, v)
    actual = stage.grouped_query_attention(
        e.x[3:], e.weights, e.cos[3:], e.sin[3:], *e.heads, cache=cache
    )
    expect_equal(cache.calls, 2, "the number of calls of cache.update, one before and one now")
    what = "attention with a cache that others filled"
    expect(actual, attention(whole)[3:], what, tolerance=allowed(whole), axes=HIDDEN)


# -- manners ------------------------------------------------------------------


def pattern_call(stage):
    return lambda q, k: stage.attention_pattern(q, k, tril(q.shape[-2]))


def attention_call(stage, e):
    """With the weights as tensors of their own, so that they can be batched and cast, too."""

    def call(x, *weights):
        named = dict(zip(e.weights, weights, strict=True))
        return stage.grouped_query_attention(x, named, e.cos, e.sin, *e.heads)

    return call


def test_bfloat16(stage):
    """bfloat16 in, bfloat16 out, though the tables of angles are float32."""
    q, k = random(2, 5, 4, seed=1), random(2, 5, 4, seed=2)
    manners.expect_bfloat16(pattern_call(stage), q, k, what="attention_pattern")
    e = example(6, 2, scores=1.0)
    manners.expect_bfloat16(
        attention_call(stage, e), e.x, *e.weights.values(), what="grouped_query_attention"
    )


def test_tensors_as_they_come(stage):
    """What was cut out of a larger tensor need not lie side by side in memory."""
    wide = torch.cat([TWO_HEADS, -TWO_HEADS], dim=-1)
    expect(stage.split_heads(wide[:, :8], 2), CUT, "split_heads of a slice", axes=HEADS)
    apart = CUT.transpose(0, 1).contiguous().transpose(0, 1)
    expect(stage.merge_heads(apart), TWO_HEADS, "merge_heads of a transposed tensor", axes=HIDDEN)
    repeated = CUT[[0, 0, 1, 1]]
    expect(stage.repeat_kv(apart, 2), repeated, "repeat_kv of a transposed tensor", axes=HEADS)
    q, k = (random(5, 2, 4, seed=seed).transpose(0, 1) for seed in (1, 2))
    expect_pattern(stage, q, k, tril(5), "attention_pattern of transposed tensors")
    e = grouped()
    apart = Example(e.x.mT.contiguous().mT, e.weights, e.cos, e.sin, e.heads)
    expect_attention(stage, apart, "attention of a transposed tensor")


def test_gradients(stage):
    """Gradients flow through attention to its input and all its weights."""
    q, k = random(2, 5, 4, seed=1), random(2, 5, 4, seed=2)
    manners.expect_gradients(pattern_call(stage), q, k, what="attention_pattern")
    e = grouped()
    manners.expect_gradients(
        attention_call(stage, e), e.x, *e.weights.values(), what="grouped_query_attention"
    )


def test_input_unchanged(stage):
    """No function of this stage changes what it is given."""
    e = grouped()
    q, k = random(2, 5, 4, seed=1), random(2, 5, 4, seed=2)
    for call, inputs, what in (
        (lambda x: stage.split_heads(x, 2), [TWO_HEADS.clone()], "split_heads"),
        (stage.merge_heads, [CUT.clone()], "merge_heads"),
        (lambda x: stage.repeat_kv(x, 1), [CUT.clone()], "repeat_kv"),
        (stage.attention_pattern, [q, k, tril(5)], "attention_pattern"),
        (attention_call(stage, e), [e.x, *e.weights.values()], "grouped_query_attention"),
    ):
        manners.expect_inputs_unchanged(call, *inputs, what=what)


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """Attention is written here, not called from a library; torch's softmax may be used."""
    q = k = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    answers = ("scaled_dot_product_attention",)
    expect_written(stage, lambda: stage.attention_pattern(q, k, torch.ones(2, 2).bool()), *answers)
    weights = {f"self_attn.{name}_proj.weight": torch.eye(2) for name in "qkvo"}
    angles = torch.ones(2, 2), torch.zeros(2, 2)
    expect_written(
        stage, lambda: stage.grouped_query_attention(q[0], weights, *angles, 1, 1), *answers
    )
