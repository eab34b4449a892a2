"""Stage 3 · RMSNorm."""

import torch
from torch.nn import functional as F

from token_journey.checking import captured, expect, expect_true, expect_written, tensor

from . import manners

WIDE = torch.tensor([[1.0, -2.0, 3.0, 4.0], [0.5, 0.5, -8.0, 2.0], [7.0, 6.0, 5.0, 4.0]])
GAINS = torch.tensor([2.0, -0.5, 0.0, 3.0])


def reference(x, weight, eps):
    """torch's own RMSNorm, in float64, as float32."""
    return F.rms_norm(x.double(), (x.shape[-1],), weight.double(), eps).float()


@captured(
    x="blocks.{l}.resid_pre",
    weight="model.layers.{l}.input_layernorm.weight",
    out="blocks.{l}.ln1.out",
)
@captured(
    x="blocks.{l}.resid_mid",
    weight="model.layers.{l}.post_attention_layernorm.weight",
    out="blocks.{l}.ln2.out",
)
@captured(x="blocks.{last}.resid_post", weight="model.norm.weight", out="ln_final.out")
def test_what_the_model_computed(stage, case):
    """rms_norm gives what the model's own norms gave."""
    actual = stage.rms_norm(case.x, case.weight, case.config.rms_norm_eps)
    case.expect("out", actual, tolerance=max(case.entry("out").tolerance, summed(case.out)))


def summed(out):
    """How far D squares, summed in whatever order, move the result: √D roundings.

    The models' own sum, in blocks, errs less, and by chance much less; a plain
    loop is as right.
    """
    return out.shape[-1] ** 0.5 * torch.finfo(out.dtype).eps * out.abs().max().item()


def test_by_hand(stage):
    """(1, 1, 1, 5) has a root mean square of √7; with eps = 2 it is divided by √9."""
    x, gains = torch.tensor([[1.0, 1.0, 1.0, 5.0]]), torch.tensor([3.0, 6.0, 0.0, 3.0])
    by_hand = torch.tensor([[1.0, 2.0, 0.0, 5.0]])
    expect(stage.rms_norm(x, gains, 2.0), by_hand, "rms_norm of (1, 1, 1, 5) with eps = 2")


def test_batches(stage):
    """Any number of axes in front."""
    manners.expect_batches(call(stage), WIDE, GAINS, what="rms_norm")


def test_one_vector(stage):
    """One vector alone, without an axis of tokens, is normalised, too."""
    expect(stage.rms_norm(WIDE[0], GAINS, 1e-6), reference(WIDE[0], GAINS, 1e-6), "rms_norm")


def test_gains(stage):
    """rms_norm multiplies each feature by its own gain, which may be negative or 0."""
    expect(stage.rms_norm(WIDE, GAINS, 1e-6), reference(WIDE, GAINS, 1e-6), "rms_norm")


def test_large_eps(stage):
    """eps is added where the formula says: here it is as large as the numbers."""
    x, eps = 0.3 * WIDE, 0.5
    expect(stage.rms_norm(x, GAINS, eps), reference(x, GAINS, eps), "rms_norm with eps = 0.5")


def test_tiny_vectors(stage):
    """eps changes the result where the numbers are as small as its root."""
    x = 1e-3 * WIDE
    expect(stage.rms_norm(x, GAINS, 1e-5), reference(x, GAINS, 1e-5), "rms_norm of tiny vectors")


def test_a_vector_of_zeros(stage):
    """A vector of zeros stays zeros: eps keeps the division possible."""
    zeros = torch.zeros(2, 4)
    expect(stage.rms_norm(zeros, GAINS, 1e-6), zeros, "rms_norm of zeros")


def test_the_mean_stays(stage):
    """A vector far from 0 keeps its mean."""
    x = WIDE + 50
    expect(stage.rms_norm(x, GAINS, 1e-6), reference(x, GAINS, 1e-6), "rms_norm of x + 50")


def test_scale_invariance(stage):
    """With eps = 0, a vector ten thousand times as short gives the same: nothing else is added."""
    once, short = reference(WIDE, GAINS, 0.0), 1e-4 * WIDE
    expect(stage.rms_norm(short, GAINS, 0.0), once, "rms_norm(0.0001 x) with eps = 0")


def test_each_token_alone(stage):
    """A token's result does not depend on the tokens beside it."""
    together = tensor(stage.rms_norm(WIDE, GAINS, 1e-6), "rms_norm")
    alone = reference(WIDE[1:2], GAINS, 1e-6)
    expect(together[1:2], alone, "rms_norm of the second of three tokens")


def test_as_many_tokens_as_features(stage):
    """Each token is divided by its own root mean square, also where T = D."""
    x = torch.cat([WIDE, 0.1 * WIDE[:1]])
    expect(stage.rms_norm(x, GAINS, 1e-6), reference(x, GAINS, 1e-6), "rms_norm of 4 × 4 numbers")


def half(x, eps):
    """What float16 should give, and how far its last rounding may move it."""
    expected = reference(x.float(), GAINS, eps).half()
    return expected, 4 * torch.finfo(torch.float16).eps * expected.abs().max().item()


def test_float16_does_not_overflow(stage):
    """300² is more than float16 can hold, so the squares need float32."""
    x = (100 * WIDE).half()
    expected, allowed = half(x, 1e-6)
    actual = stage.rms_norm(x, GAINS.half(), 1e-6)
    expect(actual, expected, "rms_norm in float16", tolerance=allowed)


def test_float16_does_not_underflow(stage):
    """0.0001² and an eps of 10⁻⁸ are 0 in float16, so the mean square needs float32."""
    x = (1e-4 * WIDE).half()
    expected, allowed = half(x, 1e-8)
    actual = stage.rms_norm(x, GAINS.half(), 1e-8)
    expect(actual, expected, "rms_norm of tiny vectors in float16", tolerance=allowed)


def call(stage):
    return lambda x, weight: stage.rms_norm(x, weight, 1e-5)


def test_bfloat16(stage):
    """bfloat16 in, bfloat16 out."""
    manners.expect_bfloat16(call(stage), WIDE, GAINS, what="rms_norm")


def test_gains_of_another_dtype(stage):
    """The result comes back at the dtype of x, also where the gains have another."""
    x = WIDE.bfloat16()
    expected = reference(x.float(), GAINS, 1e-5).bfloat16()
    allowed = 4 * torch.finfo(torch.bfloat16).eps * expected.abs().max().item()
    actual = stage.rms_norm(x, GAINS, 1e-5)
    expect(actual, expected, "rms_norm of bfloat16 with float32 gains", tolerance=allowed)


def test_many_features_in_half_precision(stage):
    """A bfloat16 keeps two or three digits, so the mean of 2048 squares needs float32."""
    ones = torch.ones(2048).bfloat16()
    manners.expect_norm_in_float32(lambda x: stage.rms_norm(x, ones, 0.0), 2048, what="rms_norm")


def test_any_layout(stage):
    """A transposed view is read by its shape, not by its place in memory."""
    x = WIDE.mT.contiguous().mT
    expect(stage.rms_norm(x, GAINS, 1e-6), reference(WIDE, GAINS, 1e-6), "rms_norm of a view")


def test_gradients(stage):
    """Gradients flow through rms_norm."""
    manners.expect_gradients(call(stage), WIDE, GAINS, what="rms_norm")


def test_the_gradient_of_the_root(stage):
    """The root mean square depends on x, so the gradient flows through it, too."""

    def gradient(norm):
        x = WIDE.clone().requires_grad_()
        out = tensor(norm(x, GAINS, 0.5), "rms_norm")
        expect_true(out.requires_grad, "No gradient flows through rms_norm.")
        manners.backward(out[:, 0].sum(), "rms_norm")
        expect_true(x.grad is not None, "No gradient reaches x through rms_norm.")
        return x.grad

    expect(gradient(stage.rms_norm), gradient(reference), "the gradient of feature 0 after x")


def test_input_unchanged(stage):
    """rms_norm leaves its inputs as they were."""
    manners.expect_inputs_unchanged(call(stage), WIDE.clone(), GAINS.clone(), what="rms_norm")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The norm is written here, not called from a library."""
    answers = "rms_norm", "fused_rms_norm", "layer_norm", "native_layer_norm"
    expect_written(stage, lambda: stage.rms_norm(WIDE, GAINS, 1e-5), *answers)
