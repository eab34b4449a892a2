"""Wrong ways to write stage 8."""
# ruff: noqa: F821  (`rms_norm` is imported by the stage file)

from token_journey import misconception

NORM = "what happens to the stream before it meets the vocabulary"
FORMULA = "the formula of the lesson, symbol by symbol"
ROWS = "the shapes of the lesson: what a row of `w_vocab` is"
OUTPUT = "what a logit is, and for how many tokens there are some"


@misconception(
    "lm_head",
    "the final norm is left out",
    "the stream meets the vocabulary as it leaves the last layer, growing and unscaled",
    read=NORM,
)
def without_norm(x, norm_weight, w_vocab, eps):
    return x @ w_vocab.mT


@misconception(
    "lm_head",
    "the final norm is applied twice",
    "what is normalised already is normalised again, and every gain counts double",
    read=NORM,
)
def norm_twice(x, norm_weight, w_vocab, eps):
    return rms_norm(rms_norm(x, norm_weight, eps), norm_weight, eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "the gains of the norm are left out",
    "the stream is brought to length, but no feature is scaled",
    read=FORMULA,
)
def without_gains(x, norm_weight, w_vocab, eps):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() @ w_vocab.mT


@misconception(
    "lm_head",
    "the gains are taken as 1 + γ",
    "Gemma stores its gains so, Llama does not",
    read=FORMULA,
)
def one_plus_gain(x, norm_weight, w_vocab, eps):
    return rms_norm(x, 1 + norm_weight, eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "the gains are multiplied in before the norm",
    "the mean square is then that of the scaled features",
    read=FORMULA,
)
def gains_first(x, norm_weight, w_vocab, eps):
    x = x * norm_weight
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() @ w_vocab.mT


@misconception(
    "lm_head",
    "eps is left out",
    "nothing is added to the mean square",
    read=FORMULA,
)
def without_eps(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, 0.0) @ w_vocab.mT


@misconception(
    "lm_head",
    "eps is a number of its own, 1e-6",
    "the eps that is handed in is not used, though every model has its own",
    read=FORMULA,
)
def another_eps(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, 1e-6) @ w_vocab.mT


@misconception(
    "lm_head",
    "eps is a number of its own, 1e-5",
    "the eps that is handed in is not used, though every model has its own",
    read=FORMULA,
)
def yet_another_eps(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, 1e-5) @ w_vocab.mT


@misconception(
    "lm_head",
    "eps is added outside the root",
    "the root is taken of the mean square alone, and eps is added after it",
    read=FORMULA,
)
def eps_outside_the_root(x, norm_weight, w_vocab, eps):
    return norm_weight * x / (x.square().mean(-1, keepdim=True).sqrt() + eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "the mean is subtracted first",
    "that is LayerNorm; an RMSNorm leaves the mean where it is",
    read=NORM,
)
def layer_norm(x, norm_weight, w_vocab, eps):
    return rms_norm(x - x.mean(-1, keepdim=True), norm_weight, eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "each vector is divided by its length",
    "that is √D times the root mean square, so every logit is √D too small",
    read=NORM,
)
def by_length(x, norm_weight, w_vocab, eps):
    return norm_weight * x / (x.square().sum(-1, keepdim=True) + eps).sqrt() @ w_vocab.mT


@misconception(
    "lm_head",
    "one mean square is taken over all tokens",
    "each token has its own; so tokens change each other's logits",
    read=NORM,
)
def norm_over_everything(x, norm_weight, w_vocab, eps):
    return norm_weight * x / (x.square().mean() + eps).sqrt() @ w_vocab.mT


@misconception(
    "lm_head",
    "the mean square is taken along the tokens",
    "the norm runs down each feature, not along each token's vector",
    read=NORM,
)
def norm_along_the_tokens(x, norm_weight, w_vocab, eps):
    return norm_weight * x / (x.square().mean(0, keepdim=True) + eps).sqrt() @ w_vocab.mT


@misconception(
    "lm_head",
    "the norm comes after the product",
    "it is the logits that are normalised, not the stream",
    read=NORM,
)
def norm_after_the_product(x, norm_weight, w_vocab, eps):
    logits = (norm_weight * x) @ w_vocab.mT
    return logits / (logits.square().mean(-1, keepdim=True) + eps).sqrt()


@misconception(
    "lm_head",
    "the vocabulary matrix is taken the wrong way round",
    "its columns are multiplied, though each row is a token",
    read=ROWS,
)
def columns(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, eps) @ w_vocab


@misconception(
    "lm_head",
    "the rows of the vocabulary are brought to length 1",
    "a long row should give large logits",
    read=ROWS,
)
def rows_normalised(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, eps) @ (w_vocab / w_vocab.norm(dim=-1, keepdim=True)).mT


@misconception(
    "lm_head",
    "the logits are divided by √D",
    "that belongs to attention's scores",
    read=FORMULA,
)
def scaled(x, norm_weight, w_vocab, eps):
    return rms_norm(x, norm_weight, eps) @ w_vocab.mT / x.shape[-1] ** 0.5


@misconception(
    "lm_head",
    "the logits are capped with tanh",
    "Gemma 2 bends them to ±30, Llama lets them be",
    read=FORMULA,
)
def soft_cap(x, norm_weight, w_vocab, eps):
    return 30 * (rms_norm(x, norm_weight, eps) @ w_vocab.mT / 30).tanh()


@misconception(
    "lm_head",
    "softmax is applied already",
    "probabilities come out; that is the next stage's work",
    read=OUTPUT,
)
def probabilities(x, norm_weight, w_vocab, eps):
    return (rms_norm(x, norm_weight, eps) @ w_vocab.mT).softmax(-1)


@misconception(
    "lm_head",
    "the logarithms of the probabilities come out",
    "log_softmax takes the same number off each of a token's logits",
    read=OUTPUT,
)
def log_probabilities(x, norm_weight, w_vocab, eps):
    return (rms_norm(x, norm_weight, eps) @ w_vocab.mT).log_softmax(-1)


@misconception(
    "lm_head",
    "only the last token gets logits",
    "to go on writing that is enough, but every vector that comes in asks for its logits",
    read=OUTPUT,
)
def last_token_only(x, norm_weight, w_vocab, eps):
    return rms_norm(x[..., -1:, :], norm_weight, eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "only the last token gets logits, and the axis of tokens is gone",
    "to go on writing that is enough, but every vector that comes in asks for its logits",
    read=OUTPUT,
)
def last_token_alone(x, norm_weight, w_vocab, eps):
    last = x[..., -1, :] if x.ndim > 1 else x
    return rms_norm(last, norm_weight, eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "the last token's logits are missing",
    "a training loss cuts them off, since nothing follows the last token; here they matter most",
    read=OUTPUT,
)
def last_token_missing(x, norm_weight, w_vocab, eps):
    return rms_norm(x[..., :-1, :], norm_weight, eps) @ w_vocab.mT


@misconception(
    "lm_head",
    "the best token's id comes out",
    "the largest logit is picked already; that is the next stage's work",
    read=OUTPUT,
)
def best_token(x, norm_weight, w_vocab, eps):
    return (rms_norm(x, norm_weight, eps) @ w_vocab.mT).argmax(-1)


@misconception(
    "lm_head",
    "axes of length 1 are squeezed away",
    "a batch of one text, or a text of one token, loses an axis that whoever called counts on",
    read="which axes go in, and which come out",
)
def squeezed(x, norm_weight, w_vocab, eps):
    return rms_norm(x.squeeze(), norm_weight, eps) @ w_vocab.mT
