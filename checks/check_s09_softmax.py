"""Stage 9 · Softmax and sampling."""

import math

import numpy as np
import torch

from token_journey.checking import (
    CheckFailure,
    captured,
    expect,
    expect_equal,
    expect_true,
    expect_written,
    tensor,
)

from . import manners

INF = math.inf
EPS = torch.finfo(torch.float32).eps
X = torch.tensor(
    [
        [[1.0, -2.0, 3.0, 0.5], [0.0, 4.0, -1.0, 2.0], [-3.0, 1.5, 0.25, -0.75]],
        [[2.0, 2.0, -4.0, 1.0], [5.0, -0.5, 0.75, 3.0], [-1.0, -1.25, 6.0, 0.0]],
    ]
)


def by_torch(logits, dim=-1):
    """torch's own softmax, in float64, as float32."""
    return logits.double().softmax(dim).float()


def log(*weights):
    """Logits whose probabilities are as these weights."""
    return torch.tensor(weights).log()


# -- softmax ------------------------------------------------------------------


def allowed(logits, probs):
    """How far the rounding of logits may move probabilities.

    What is taken off the logits is about as large as they are, and rounded; an error of δ
    in a logit changes e^x by a share of δ. The 16 are for the division and a short sum.
    """
    size = logits[logits.isfinite()].abs().max()
    return (EPS * (size + 16) + 2 * running_sum_error(probs)) * probs.clamp(min=EPS)


def running_sum_error(probs):
    """By what share a sum is off that adds one number after the other, in float32.

    torch adds in blocks, which rounds less; but a loop is right, too. NumPy's cumsum is one.
    """
    rows = probs.reshape(-1, probs.shape[-1]).numpy()
    exact = rows.sum(axis=-1, dtype=np.float64)
    both_ways = [np.cumsum(r, axis=-1)[:, -1] for r in (rows, rows[:, ::-1])]
    return max(np.abs(summed / exact - 1).max() for summed in both_ways)


def expect_softmax(actual, logits, what, dim=-1, axes=()):
    probs = by_torch(logits, dim)
    expect(actual, probs, what, tolerance=allowed(logits, probs), axes=axes)


# Complete wherever the model itself was run; of the published figures only some values are.
WHOLE = "blocks.{l}.attn.v"


@captured(scores="blocks.{l}.attn.scores", whole=WHOLE, out="blocks.{l}.attn.pattern")
@captured(part="heads", scores="blocks.{l}.attn.scores", out="blocks.{l}.attn.pattern")
def test_real_patterns(stage, case):
    """The softmax of a layer's scores is its attention pattern."""
    tolerance = case.entry("out").tolerance + allowed(case.scores, case.out)
    case.expect("out", stage.softmax(case.scores), tolerance=tolerance)


@captured(
    partial=True,
    scores="blocks.{l}.attn.scores",
    published="blocks.{l}.attn.z_flat",
    out="blocks.{l}.attn.pattern",
)
def test_published_patterns(stage, case):
    """The softmax of Aitana's published scores is its published attention pattern."""
    # Both were printed with four decimals. Scores that are off by δ move a probability p
    # by 2δ p(1 − p) at most, and that is δ/2 at most.
    tolerance = case.entry("out").tolerance + case.entry("scores").tolerance / 2
    tolerance += allowed(case.scores, case.out)
    case.expect("out", stage.softmax(case.scores), tolerance=tolerance)


@captured(logits="logits.last", out="probs.last")
def test_real_probabilities(stage, case):
    """The softmax of the last logits gives the model's probabilities of the next token."""
    tolerance = case.entry("out").tolerance + allowed(case.logits, case.out)
    case.expect("out", stage.softmax(case.logits), tolerance=tolerance)


def test_softmax_by_hand(stage):
    """e^(ln n) is n, so ln 1, ln 2 and ln 5 become 1/8, 2/8 and 5/8."""
    expect(stage.softmax(log(1.0, 2.0, 5.0)), torch.tensor([0.125, 0.25, 0.625]), "softmax")


def test_dimensions(stage):
    """softmax runs along the axis that it is asked for, counted from either end."""
    for dim in (0, 1, 2, -1, -2, -3):
        expect_softmax(stage.softmax(X, dim=dim), X, f"softmax with dim={dim}", dim)
    expect_softmax(stage.softmax(X), X, "softmax without dim, which is −1")


def test_batches(stage):
    """Any number of axes in front."""
    manners.expect_batches(stage.softmax, X[0], what="softmax")


def test_large_logits(stage):
    """Large logits do not overflow: only their differences count."""
    x = torch.tensor([[1e4, 1e4 - 1, 1e4 - 3], [2e4, 0.0, 2e4]])
    expect_softmax(stage.softmax(x), x, "softmax of logits around 10 000")


def test_very_negative_logits(stage):
    """Very negative logits do not all vanish: only their differences count."""
    x = torch.tensor([[-1e4, -1e4 - 1, -1e4 - 3], [-1e4, -2e4, -1e4]])
    expect_softmax(stage.softmax(x), x, "softmax of logits around −10 000")


def test_only_differences_count(stage):
    """However large the logits are, their differences are small and exact, and decide."""
    x = torch.tensor([[0.0, 0.0, -2.0], [-3.0, 0.0, -1.0]])
    for size in (2.0**24, -(2.0**24)):
        far = 2 * x + size  # exact in float32
        what = f"softmax of logits around {size:,.0f}"
        expect(stage.softmax(far), by_torch(2 * x), what, tolerance=16 * EPS)


def test_rows_of_different_size(stage):
    """A row of large logits does not change the row beside it."""
    x = torch.tensor([[0.0, 1.0, 2.0], [1000.0, 1002.0, 1001.0], [-500.0, -501.0, -502.0]])
    expect_softmax(stage.softmax(x), x, "softmax of three rows", axes=("row", "token"))


def test_impossible_tokens(stage):
    """A logit of −∞ gets probability 0; the others sum to 1."""
    x = torch.tensor([[0.0, -INF, 1.0], [-INF, -INF, 2.0], [-50.0, -INF, -INF]])
    expect_softmax(stage.softmax(x), x, "softmax with −∞", axes=("row", "token"))


def test_a_single_token(stage):
    """Where there is one token only, it has probability 1."""
    x = torch.tensor([[3.0], [-200.0], [0.0]])
    expect(stage.softmax(x), torch.ones(3, 1), "softmax of rows of one")


def test_dtypes(stage):
    """softmax keeps the dtype: float16 and float64 in, the same out."""
    for dtype, like in ((torch.float16, torch.float16), (torch.float64, torch.float32)):
        x = X.to(dtype)
        expected, what = x.double().softmax(-1).to(dtype), f"softmax in {dtype}"
        expect(stage.softmax(x), expected, what, tolerance=4 * torch.finfo(like).eps)


def test_float16_does_not_overflow(stage):
    """float16 ends at 65 504, and e^x passes that from x = 12 on: only differences count."""
    x = torch.tensor([[60_000.0, 59_968.0, -60_000.0], [15.0, 14.0, 13.0]]).half()
    tolerance = 4 * torch.finfo(torch.float16).eps
    expect(stage.softmax(x), by_torch(x).half(), "softmax in float16", tolerance=tolerance)


def test_bfloat16(stage):
    """bfloat16 in, bfloat16 out."""
    manners.expect_bfloat16(stage.softmax, X, what="softmax")


def test_any_storage(stage):
    """It does not matter how the logits lie in memory."""
    x = X.mT.contiguous().mT
    expect_softmax(stage.softmax(x), X, "softmax of logits that are stored transposed")


def test_gradients(stage):
    """Gradients flow through softmax, also through the sum that it divides by."""
    manners.expect_gradients(stage.softmax, X, what="softmax")
    weights = torch.linspace(-1, 2, X.numel()).view_as(X)
    gradients = []
    for softmax in (stage.softmax, lambda x: x.softmax(-1)):
        x = X.clone().requires_grad_()
        manners.backward((tensor(softmax(x), "softmax") * weights).sum(), "softmax")
        gradients.append(x.grad)
    # It is made of probabilities times weights of up to 2, and a difference of two of these.
    tolerance = 4 * EPS * (X.abs().max().item() + 16)
    expect(gradients[0], gradients[1], "the gradient of the logits", tolerance=tolerance)


def test_input_unchanged(stage):
    """softmax leaves its input as it was."""
    manners.expect_inputs_unchanged(stage.softmax, X.clone(), what="softmax")


# -- temperature --------------------------------------------------------------


@captured(partial=True, logits="logits.last", out="warped.temperature=0.7")
def test_real_temperature(stage, case):
    """apply_temperature gives what transformers gives."""
    case.expect("out", shown(case, stage.apply_temperature(case.logits, 0.7)))


def shown(case, logits):
    """The logits that the pack holds: of a large vocabulary, some."""
    logits = manners.of_kind(logits, case.logits, "the result")
    kept = case.entry("out").visible.get(0)
    return logits if kept is None else logits[list(kept)]


def test_temperature_by_hand(stage):
    """Logits are divided by the temperature, any above 0: 1/2 doubles them, 4 makes quarters."""
    x = torch.tensor([[2.0, -4.0, 0.0], [8.0, -INF, 1.0]])
    expect(stage.apply_temperature(x, 0.5), 2 * x, "the logits at temperature 0.5")
    expect(stage.apply_temperature(x, 4.0), x / 4, "the logits at temperature 4")
    expect(stage.apply_temperature(x, 1), x, "the logits at temperature 1")
    tiny = 2.0**-20
    expect(stage.apply_temperature(x, tiny), x / tiny, "the logits at temperature 0.000001")
    manners.expect_new(lambda x: stage.apply_temperature(x, 1), x, what="apply_temperature")


def what_comes_of(call):
    """The error's name, or "no error"."""
    try:
        call()
    except (CheckFailure, NotImplementedError):
        raise
    except ValueError:
        return "ValueError"
    except Exception as error:
        return type(error).__name__
    return "no error"


def test_no_temperature(stage):
    """A temperature that is not above 0 is a ValueError."""
    came = [what_comes_of(lambda t=t: stage.apply_temperature(X, t)) for t in (0.0, 0, -1.0)]
    expect_equal(came, ["ValueError"] * 3, "the result for the temperatures 0.0, 0 and −1")


def test_temperature_manners(stage):
    """apply_temperature keeps dtype and shape, and gradients flow through."""

    def call(x):
        return stage.apply_temperature(x, 0.7)

    manners.expect_bfloat16(call, X, what="apply_temperature")
    manners.expect_batches(call, X[0], what="apply_temperature")
    manners.expect_gradients(call, X, what="apply_temperature")
    manners.expect_inputs_unchanged(call, X.clone(), what="apply_temperature")


# -- top-k --------------------------------------------------------------------


def expect_kept(actual, logits, kept, what):
    """Kept logits are as they were, in their places; all others are −∞."""
    kept = torch.tensor(kept, dtype=torch.bool)
    expected = logits.masked_fill(~kept, -INF)
    expect(actual, expected, what, tolerance=0.0, axes=("row", "token")[-logits.ndim :])


@captured(partial=True, logits="logits.last", out="warped.top_k=5")
def test_real_top_k(stage, case):
    """keep_top_k keeps what transformers keeps."""
    case.expect("out", shown(case, stage.keep_top_k(case.logits, 5)))


def test_top_k_by_hand(stage):
    """The k best keep their logits and their places; all others become −∞."""
    x = torch.tensor([-5.0, -1.0, -6.0, -2.0, -3.0])
    expect_kept(stage.keep_top_k(x, 1), x, [0, 1, 0, 0, 0], "the best of five")
    expect_kept(stage.keep_top_k(x, 3), x, [0, 1, 0, 1, 1], "the 3 best of five")


def test_top_k_row_by_row(stage):
    """Each row has its own k best."""
    x = torch.tensor([[9.0, 8.0, 7.0], [0.0, 2.0, 0.0], [-3.0, -9.0, -4.0]])
    kept = [[1, 1, 0], [1, 1, 1], [1, 0, 1]]  # in the second row, two tie
    expect_kept(stage.keep_top_k(x, 2), x, kept, "the 2 best of each row")


def test_top_k_ties(stage):
    """What ties with the k-th best stays."""
    x = torch.tensor([2.0, 1.0, 2.0, 3.0, 1.0])
    expect_kept(stage.keep_top_k(x, 2), x, [1, 0, 1, 1, 0], "the 2 best, one of them a tie")
    x = torch.tensor([3.0, 1.0, 3.0])
    expect_kept(stage.keep_top_k(x, 1), x, [1, 0, 1], "the best, twice there")


def test_top_k_keeps_all(stage):
    """A k of V or more keeps all."""
    x = torch.tensor([2.0, -1.0, 0.0])
    for k in (3, 4, 50):
        expect_kept(stage.keep_top_k(x, k), x, [1, 1, 1], f"the {k} best of three")
        manners.expect_new(lambda x, k=k: stage.keep_top_k(x, k), x, what="keep_top_k")


def test_top_k_of_impossible_tokens(stage):
    """What is −∞ already stays so."""
    x = torch.tensor([[-INF, 1.0, 2.0], [-INF, -INF, 0.0]])
    kept = [[0, 1, 1], [0, 0, 1]]
    expect_kept(stage.keep_top_k(x, 2), x, kept, "the 2 best of rows with −∞")


def expect_impossible(actual, logits, kept, what):
    """What is cut is −∞ and no number, however low."""
    cut = ~torch.tensor(kept, dtype=torch.bool)
    result = manners.of_kind(actual, logits, what)
    expect(result.isneginf(), cut, f"which logits are −∞ after {what}", axes=("token",))


# So low that −1e9, had it been put in the place of what is cut, would be the best.
LOW = torch.tensor([-3e10, -1e10, -4e10, -2e10])


def test_top_k_cuts_to_impossible(stage):
    """What top-k cuts is −∞: any other number may be more than what is kept."""
    expect_impossible(stage.keep_top_k(LOW, 2), LOW, [0, 1, 0, 1], "keep_top_k of low logits")


def test_top_k_manners(stage):
    """keep_top_k keeps dtype and shape, and gradients flow through."""

    def call(x):
        return stage.keep_top_k(x, 2)

    x = torch.tensor([1.0, 3.0, 2.0]).bfloat16()
    expect_kept(call(x), x, [0, 1, 1], "keep_top_k in bfloat16")
    manners.expect_batches(call, X[0], what="keep_top_k")
    manners.expect_gradients(call, X, what="keep_top_k", smooth=False)
    manners.expect_inputs_unchanged(call, X.clone(), what="keep_top_k")


# -- top-p --------------------------------------------------------------------


@captured(partial=True, logits="logits.last", out="warped.top_p=0.9")
def test_real_top_p(stage, case):
    """keep_top_p keeps what transformers keeps."""
    case.expect("out", shown(case, stage.keep_top_p(case.logits, 0.9)))


@captured(partial=True, logits="logits.last", out="warped.temperature=0.7,top_k=20,top_p=0.8")
def test_real_chain(stage, case):
    """Temperature, then top-k, then top-p: together they give what transformers gives."""
    logits = stage.keep_top_k(stage.apply_temperature(case.logits, 0.7), 20)
    case.expect("out", shown(case, stage.keep_top_p(logits, 0.8)))


def for_each_p(stage, logits, ps):
    """What keep_top_p leaves of the same logits, a row for each p."""
    return torch.stack([manners.of_kind(stage.keep_top_p(logits, p), logits, "top-p") for p in ps])


def test_top_p_by_hand(stage):
    """The fewest best tokens that reach p stay; the one that crosses p is the last."""
    x, ps = log(0.12, 0.45, 0.03, 0.3, 0.1), (0.28, 0.4, 0.6, 0.8, 0.9, 0.98)
    # Best first, and together: 0.45, 0.75, 0.87, 0.97, 1.
    kept = [[0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 1, 0, 1, 0]]
    kept += [[1, 1, 0, 1, 0], [1, 1, 0, 1, 1], [1, 1, 1, 1, 1]]
    expect_kept(for_each_p(stage, x, ps), x.expand(6, 5), kept, f"top-p, rows of p = {ps}")


def test_top_p_row_by_row(stage):
    """Each row keeps as many as it needs."""
    x = torch.stack([log(0.9, 0.06, 0.04), log(0.3, 0.3, 0.4), log(0.05, 0.5, 0.45)])
    kept = [[1, 0, 0], [1, 1, 1], [0, 1, 1]]
    expect_kept(stage.keep_top_p(x, 0.8), x, kept, "top-p of three rows")


def test_top_p_in_their_places(stage):
    """Each logit keeps its own place, in whatever order they come."""
    x = torch.stack([log(0.1, 0.02, 0.3, 0.03, 0.4, 0.15).roll(turn) for turn in range(6)])
    kept = [torch.tensor([0, 0, 1, 0, 1, 1]).roll(turn).tolist() for turn in range(6)]
    rows = [manners.of_kind(stage.keep_top_p(row, 0.8), row, "top-p") for row in x]
    expect_kept(torch.stack(rows), x, kept, "top-p of a row and its turns, p = 0.8")


def test_top_p_counts_probabilities(stage):
    """p is reached by probabilities, not by logits: e^x counts."""
    x = torch.tensor([10.0, 11.0, 9.0, 0.1, 0.2])
    expect_kept(stage.keep_top_p(x, 0.9), x, [1, 1, 0, 0, 0], "top-p of large logits")


def expect_sorted(actual, expected, what):
    """Which of several equal logits stays is left open; how many stay is not."""
    ordered = tensor(actual, what).sort(-1).values
    expect(ordered, expected, f"{what}, sorted", tolerance=0.0, axes=("row", "token"))


def test_top_p_reached_exactly(stage):
    """Where p is reached exactly, nothing more is kept."""
    four = torch.zeros(4)  # a quarter each, without rounding
    expected = torch.tensor([[-INF, -INF, 0.0, 0.0], [-INF, 0.0, 0.0, 0.0]])
    rows = for_each_p(stage, four, (0.5, 0.6))
    expect_sorted(rows, expected, "top-p of four equal, rows of p = 0.5 and 0.6")


def test_top_p_ties(stage):
    """The fewest that reach p stay, even if what ties with the last one has to go."""
    x = log(0.25, 0.25, 0.25, 0.125, 0.125)
    cut = torch.tensor([4, 3, 2, 1])[:, None] > torch.arange(5)  # so many go, the worst first
    rows = for_each_p(stage, x, (0.2, 0.4, 0.7, 0.8))
    what = "top-p of three that tie and two that tie, rows of p = 0.2, 0.4, 0.7 and 0.8"
    expect_sorted(rows, x.sort().values.expand(4, 5).masked_fill(cut, -INF), what)


def test_top_p_keeps_the_best(stage):
    """The best token stays, however small p is."""
    x = log(0.2, 0.5, 0.3)
    rows = for_each_p(stage, x, (0.1, 1e-9))
    expect_kept(rows, x.expand(2, 3), [[0, 1, 0]] * 2, "top-p, rows of p = 0.1 and 1e-9")


def test_top_p_of_1(stage):
    """p = 1 keeps all that is possible."""
    x = log(0.2, 0.5, 0.0, 0.3)
    expect_kept(stage.keep_top_p(x, 1.0), x, [1, 1, 0, 1], "top-p with p = 1")
    manners.expect_new(lambda x: stage.keep_top_p(x, 1.0), x, what="keep_top_p")


def test_top_p_of_impossible_tokens(stage):
    """What is −∞ already stays so, and does not count for p."""
    x = log(0.4, 0.0, 0.35, 0.0, 0.25)
    expect_kept(stage.keep_top_p(x, 0.7), x, [1, 0, 1, 0, 0], "top-p of a row with −∞")


def test_top_p_cuts_to_impossible(stage):
    """What top-p cuts is −∞: any other number may be more than what is kept."""
    expect_impossible(stage.keep_top_p(LOW, 0.9), LOW, [0, 1, 0, 0], "keep_top_p of low logits")


def test_top_p_manners(stage):
    """keep_top_p keeps dtype and shape, and gradients flow through."""

    def call(x):
        return stage.keep_top_p(x, 0.55)

    x = torch.tensor([1.0, 3.0, 2.5]).bfloat16()
    expect_kept(call(x), x, [0, 1, 0], "keep_top_p in bfloat16")
    manners.expect_batches(call, X[0], what="keep_top_p")
    manners.expect_gradients(call, X, what="keep_top_p", smooth=False)
    manners.expect_inputs_unchanged(call, X.clone(), what="keep_top_p")


# -- sample -------------------------------------------------------------------


@captured(logits="logits.last", probs="probs.last")
def test_real_greedy(stage, case):
    """At temperature 0 sample takes the model's most probable token."""
    best = case.probs.argmax()
    drawn = stage.sample(case.logits, temperature=0, generator=seeded(0))
    expect(drawn, best, "the best token", where=case.where)


def test_greedy(stage):
    """At temperature 0 each row gives its best token, whatever top_k and top_p are."""
    generator, x = seeded(0), X[..., 1:]
    best = x.argmax(-1)
    expect(stage.sample(x, temperature=0, generator=generator), best, "the best tokens")
    expect(stage.sample(x, 0.0, 2, 0.5, generator), best, "the best tokens, with top_k = 2")
    x = torch.tensor([-INF, -7.0, -9.0, -INF])
    drawn = stage.sample(x, temperature=0, generator=generator)
    expect(drawn, torch.tensor(1), "the best of four tokens")


def test_shapes(stage):
    """One id for each row of logits: (V,) gives (), and (1, 2, 3, V) gives (1, 2, 3)."""
    ids = torch.tensor([[[3, 0, 2], [1, 1, 0]]])
    x = torch.full((1, 2, 3, 4), -INF).scatter(-1, ids[..., None], 1.0)  # one possible token a row
    expect(stage.sample(x, generator=seeded(0)), ids, "the only tokens there are")
    expect(stage.sample(x, temperature=0), ids, "the best tokens there are")
    one = x[0, 0, 0]
    expect(stage.sample(one, generator=seeded(0)), ids[0, 0, 0], "the only token there is")
    x = x.bfloat16()
    expect(stage.sample(x, generator=seeded(0)), ids, "the only tokens there are, in bfloat16")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# A distribution each, between them much that a sampler may get wrong: few tokens and many, a
# large one among many small ones, a steep one, a flat one, and one with tokens that never come.
SPREAD = (
    (1.0, 2.0, 5.0),
    (1.0,) * 10 + (20.0,) + (1.0,) * 10,
    (32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 1.0),
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    (0.0, 0.5, 0.0, 1.0, 60.0, 20.0, 0.0),
)
WEIGHTS = (0.8, 0.45, 1.8, 1.25)  # as 16 to 9 to 36 to 25; 0.19, 0.1, 0.42 and 0.29 of all
# All checks of this file draw less than 30,000 times, so that drawing row by row is no crime.
MANY, SOME, FEW = 4400, 2000, 300
# A hundred shares are compared. Each may be off by chance once in 2e8 runs.
RARE = math.log(2 * 100 / 5e-7)


def allowed_by_chance(probs, draws):
    """How far shares of so many draws may be off, by Bernstein's inequality.

    A share is off by t or more with a probability of at most 2 e^(−nt² / (2p(1−p) + 2t/3)).
    """
    a_third = RARE / (3 * draws)
    return a_third + (a_third**2 + 2 * RARE * probs * (1 - probs) / draws).sqrt()


def shares(stage, weights, draws, **settings):
    """How often each token is drawn."""
    like = torch.zeros(draws, dtype=torch.long)
    x = log(*weights).repeat(draws, 1)
    drawn = manners.of_kind(stage.sample(x, generator=seeded(19), **settings), like, "sample")
    return (drawn[:, None] == torch.arange(len(weights))).float().mean(0)


def expect_shares(drawn, expected, draws, said):
    """Hold the shares of draws against probabilities."""
    what = f"the share of each token in {draws} draws {said}"
    allowed = allowed_by_chance(expected, draws)
    expect(drawn, expected, what, tolerance=allowed, axes=("token",))
    impossible = drawn[expected == 0].sum().item()
    expect_equal(impossible, 0.0, f"the share of cut tokens in {draws} draws {said}")


def expect_settings(stage, *cases):
    """Hold the shares of draws against what settings make of WEIGHTS."""
    for draws, settings, left in cases:
        drawn = shares(stage, WEIGHTS, draws, **settings)
        said = ", ".join(f"{name}={value}" for name, value in settings.items())
        expect_shares(drawn, torch.tensor(left) / sum(left), draws, f"with {said}")


def test_as_often_as_likely(stage):
    """Each token is drawn as often as its probability says, and each row is drawn for itself."""
    far, tokens = 0.0, 0
    for weights in SPREAD:
        probs = torch.tensor(weights) / sum(weights)
        drawn = shares(stage, weights, MANY)
        expect_shares(drawn, probs, MANY, f"from {len(weights)} tokens")
        possible = probs > 0
        far += MANY * ((drawn - probs).square() / probs)[possible].sum().item()
        tokens += int(possible.sum()) - 1
    # χ² of all together, which by chance (Wilson and Hilferty) passes this once in 1e9 runs.
    # Where each distribution is off by 0.04 in total variation it is 170 and more.
    spread = 2 / (9 * tokens)
    most = tokens * (1 - spread + 6 * spread**0.5) ** 3
    expect_true(
        far <= most,
        f"In {len(SPREAD) * MANY} draws some tokens come a little too often and others too "
        f"rarely, in all five distributions together more than chance allows (χ² is {far:.0f}, "
        f"and should be at most {most:.0f}).",
    )


def test_each_setting(stage):
    """temperature sharpens or flattens; what top_k or top_p cut is never drawn."""
    expect_settings(
        stage,
        (SOME, {"temperature": 2.0}, (4.0, 3.0, 6.0, 5.0)),
        (SOME, {"temperature": 0.5}, (256.0, 81.0, 1296.0, 625.0)),
        (FEW, {"top_k": 2}, (0.0, 0.0, 36.0, 25.0)),
        (FEW, {"top_p": 0.6}, (0.0, 0.0, 36.0, 25.0)),
    )


def test_order(stage):
    """The order is temperature, top-k, top-p: each counts with what the one before left."""
    expect_settings(
        stage,
        (FEW, {"top_k": 3}, (16.0, 0.0, 36.0, 25.0)),
        (FEW, {"top_p": 0.8}, (16.0, 0.0, 36.0, 25.0)),
        (FEW, {"top_k": 2, "top_p": 0.4}, (0.0, 0.0, 36.0, 0.0)),
        # Of the three best, 36 and 25 have 0.79 together; of all four they had 0.71.
        (FEW, {"top_k": 3, "top_p": 0.75}, (0.0, 0.0, 36.0, 25.0)),
        # The best has 0.33 now; before it had 0.42, which is enough.
        (FEW, {"temperature": 2.0, "top_p": 0.4}, (0.0, 0.0, 6.0, 5.0)),
        (FEW, {"temperature": 2.0, "top_k": 3, "top_p": 0.7}, (0.0, 0.0, 6.0, 5.0)),
    )


def test_low_temperature(stage):
    """Near temperature 0 the best token is drawn nearly always, and nothing overflows."""
    x = torch.tensor([[3.0, 50.0, 49.0], [-20.0, -60.0, -30.0]])
    drawn = stage.sample(x, temperature=1e-4, generator=seeded(0))
    expect(drawn, torch.tensor([1, 0]), "draws at temperature 0.0001")


def test_negative_temperature(stage):
    """A temperature below 0 is a ValueError for sample, too."""
    came = what_comes_of(lambda: stage.sample(X, temperature=-0.5, generator=seeded(0)))
    expect_equal(came, "ValueError", "the result for temperature −0.5")


# So many tokens that the same draws twice are no accident: 100⁻¹⁶.
FLAT = torch.zeros(16, 100)


def test_seeds(stage):
    """The same seed gives the same tokens, another seed or the next call gives others."""
    generator = seeded(3)
    first = stage.sample(FLAT, generator=generator)
    further = stage.sample(FLAT, generator=generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        again = stage.sample(FLAT, generator=seeded(3))
    other = stage.sample(FLAT, generator=seeded(4))
    like = torch.zeros(16, dtype=torch.long)
    first, further, again, other = (
        manners.of_kind(ids, like, "sample") for ids in (first, further, again, other)
    )
    came = {
        "the same seed": torch.equal(first, again),
        "another seed": torch.equal(first, other),
        "the next call": torch.equal(first, further),
    }
    expected = {"the same seed": True, "another seed": False, "the next call": False}
    expect_equal(came, expected, "which draws give the same 16 tokens as the first")


def test_rows_of_a_batch(stage):
    """Each row is drawn for itself, also those at the same place of two texts."""
    drawn = stage.sample(FLAT.view(2, 8, 100), generator=seeded(5))
    drawn = manners.of_kind(drawn, torch.zeros(2, 8, dtype=torch.long), "sample")
    expect_true(
        not torch.equal(drawn[0], drawn[1]),
        "Two texts of 32 rows got the same 32 tokens: draw for each row of each text.",
    )


def test_torch_s_own_generator(stage):
    """Without a generator torch's own is used; with a generator torch's own stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        first, further = stage.sample(FLAT), stage.sample(FLAT)
        torch.manual_seed(11)
        again = stage.sample(FLAT)
        like = torch.zeros(16, dtype=torch.long)
        first, further, again = (
            manners.of_kind(ids, like, "sample") for ids in (first, further, again)
        )
        before = torch.get_rng_state()
        stage.sample(FLAT, 0.7, 50, 0.9, seeded(3))
        left_alone = torch.equal(before, torch.get_rng_state())
    came = {
        "torch.manual_seed counts": torch.equal(first, again),
        "the next call gives others": not torch.equal(first, further),
        "a generator leaves torch's own alone": left_alone,
    }
    expect_equal(came, dict.fromkeys(came, True), "what holds of torch's own generator")


def test_sample_leaves_its_input(stage):
    """sample leaves its logits as they were."""
    x = X.clone()
    stage.sample(x, temperature=0.7, top_k=3, top_p=0.9, generator=seeded(0))
    expect_true(torch.equal(x, X), "sample changed its logits: work on new tensors.")


def test_nothing_is_cut_unasked(stage):
    """Without top_k and top_p every token can be drawn, also the rarest of a large vocabulary."""
    logits = torch.linspace(0.1, 0.0, 200).expand(400, 200)
    generator = torch.Generator().manual_seed(0)
    drawn = tensor(stage.sample(logits, generator=generator), "sample")
    # The last half holds half of the probability: 400 draws miss it with 2^-400.
    expect_true(
        bool((drawn >= 100).any()),
        "No token of the last hundred of 200 was ever drawn: without top_k and top_p, sample "
        "keeps all tokens.",
    )


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """Softmax is written here, not called from a library."""
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    answers = "softmax", "log_softmax", "special_softmax", "softmin", "gumbel_softmax"
    expect_written(stage, lambda: stage.softmax(logits, -1), *answers)
