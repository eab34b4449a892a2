"""Stage 8 · lm_head."""

import torch
from torch.nn import functional as F

from token_journey.checking import captured, expect, expect_written

from . import manners

# Three tokens, four features, a vocabulary of five.
X = torch.tensor([[1.0, -2.0, 3.0, 4.0], [0.5, 0.5, -8.0, 2.0], [7.0, 6.0, 5.0, 4.0]])
GAINS = torch.tensor([2.0, -0.5, 1.5, 3.0])
W_VOCAB = torch.tensor(
    [
        [1.0, 2.0, -1.0, 0.5],
        [-2.0, 0.0, 1.0, 1.0],
        [0.25, -3.0, 2.0, -1.0],
        [4.0, 1.0, 0.0, -2.0],
        [0.5, 0.5, -0.5, 3.0],
    ]
)
EPS = 0.5  # as large as some of the numbers, so that its place and size show


def normalised(x, norm_weight=GAINS, eps=EPS):
    """torch's own RMSNorm, in float64."""
    return F.rms_norm(x.double(), (x.shape[-1],), norm_weight.double(), eps)


def reference(x, norm_weight=GAINS, w_vocab=W_VOCAB, eps=EPS):
    """torch's own RMSNorm and linear layer, in float64, as float32."""
    return F.linear(normalised(x, norm_weight, eps), w_vocab.double()).float()


def vocabulary_rows(case):
    """The row of each token whose logits the pack holds: of a large vocabulary, some."""
    tied = case.config.tie_word_embeddings
    name = "model.embed_tokens.weight" if tied else "lm_head.weight"
    weight, here = case.pack.weight(name), case.pack.weight_entry(name).visible.get(0)
    wanted = case.entry("out").visible.get(1)
    if wanted == here:
        return weight
    return weight[[i if here is None else here.index(i) for i in wanted]]


@captured(
    partial=True,
    x="blocks.{last}.resid_post",
    norm_weight="model.norm.weight",
    embedding="model.embed_tokens.weight",
    out="logits",
)
def test_what_the_model_computed(stage, case):
    """lm_head gives the model's logits, whether its vocabulary is tied to the embedding or not."""
    eps = case.config.rms_norm_eps
    case.expect("out", stage.lm_head(case.x, case.norm_weight, vocabulary_rows(case), eps))


def test_logits(stage):
    """A logit is the product of a token's row with the stream, normalised once."""
    axes = ("token", "vocabulary")
    expect(stage.lm_head(X, GAINS, W_VOCAB, EPS), reference(X), "the logits", axes=axes)


def test_batches(stage):
    """Any number of axes in front."""
    manners.expect_batches(call(stage), X, GAINS, W_VOCAB, what="lm_head")


def test_one_vector(stage):
    """A single token's vector, without a token axis, gives V logits."""
    expect(stage.lm_head(X[-1], GAINS, W_VOCAB, EPS), reference(X[-1]), "the logits of one vector")


def test_square_vocabulary(stage):
    """Each row of w_vocab is a token, also where there are as many tokens as features."""
    w_vocab = W_VOCAB[:4]
    logits = stage.lm_head(X, GAINS, w_vocab, EPS)
    expect(logits, reference(X, w_vocab=w_vocab), "the logits with a (4, 4) vocabulary")


def test_tiny_stream(stage):
    """eps changes the result where the stream is as small as its root."""
    x = 1e-3 * X
    logits = stage.lm_head(x, GAINS, W_VOCAB, 1e-5)
    expect(logits, reference(x, eps=1e-5), "the logits of a tiny stream")


def test_large_logits(stage):
    """Logits have no bounds: rows a hundred times as long give logits a hundred times as large."""
    w_vocab = 100 * W_VOCAB
    logits = stage.lm_head(X, GAINS, w_vocab, EPS)
    expect(logits, reference(X, w_vocab=w_vocab), "the logits with a large vocabulary matrix")


def test_each_token_alone(stage):
    """A token's logits do not depend on the tokens beside it."""
    x = torch.stack([X[1], 100 * X[0], 0 * X[0]])
    expected = torch.stack([reference(row) for row in x])
    logits = stage.lm_head(x, GAINS, W_VOCAB, EPS)
    expect(logits[:1], expected[:1], "the logits of a token beside a large one and zeros")


def test_transposed_storage(stage):
    """It does not matter how the matrices lie in memory."""
    x, w_vocab = X.mT.contiguous().mT, W_VOCAB.mT.contiguous().mT
    logits = stage.lm_head(x, GAINS, w_vocab, EPS)
    expect(logits, reference(X), "the logits from matrices that are stored transposed")


def test_float16_does_not_overflow(stage):
    """300² is more than float16 can hold, so the norm needs float32."""
    x = (100 * X).half()
    exact = normalised(x)
    # Roundings of the normalised vector and of each product, at their size before they cancel.
    size = (exact.abs() @ W_VOCAB.double().abs().mT).max().item()
    logits = stage.lm_head(x, GAINS.half(), W_VOCAB.half(), EPS)
    tolerance = 2 * torch.finfo(torch.float16).eps * size
    expected = (exact @ W_VOCAB.double().mT).half()
    expect(logits, expected, "the logits in float16", tolerance=tolerance)


def call(stage):
    return lambda x, norm_weight, w_vocab: stage.lm_head(x, norm_weight, w_vocab, 1e-5)


def test_bfloat16(stage):
    """bfloat16 in, bfloat16 out."""
    manners.expect_bfloat16(call(stage), X, GAINS, W_VOCAB, what="lm_head")


def test_many_features_in_half_precision(stage):
    """A bfloat16 keeps two or three digits, so the mean of 512 squares needs float32."""
    ones, same = torch.ones(512).bfloat16(), torch.eye(512).bfloat16()
    manners.expect_norm_in_float32(
        lambda x: stage.lm_head(x, ones, same, 0.0), 512, what="the logits"
    )


def test_gradients(stage):
    """Gradients flow through lm_head, to the stream, the gains and the vocabulary."""
    manners.expect_gradients(call(stage), X, GAINS, W_VOCAB, what="lm_head")


def test_input_unchanged(stage):
    """lm_head leaves its inputs as they were."""
    inputs = (X.clone(), GAINS.clone(), W_VOCAB.clone())
    manners.expect_inputs_unchanged(call(stage), *inputs, what="lm_head")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The head is written here, not called from a library."""
    x, ones, square = torch.tensor([[1.0, 2.0]]), torch.ones(2), torch.eye(2)
    answers = "rms_norm", "fused_rms_norm", "layer_norm", "native_layer_norm"
    expect_written(stage, lambda: stage.lm_head(x, ones, square, 1e-5), *answers)
