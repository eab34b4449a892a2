"""Wrong ways to write stage 3."""

from torch.nn import functional as F

from token_journey import misconception

FORMULA = "the formula of the lesson, symbol by symbol"
MEAN = "what the lesson says the mean is taken of, and along which axis"
GAIN = "what the lesson says of γ"
HALF = "what the lesson says of half precision"


# -- eps ----------------------------------------------------------------------


@misconception(
    "rms_norm",
    "eps is added outside the root",
    "the root is taken of the mean square alone, and eps is added after it",
    read=FORMULA,
)
def eps_outside_the_root(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1, keepdim=True).sqrt() + eps)).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is left out",
    "nothing is added to the mean square, so a vector of zeros is divided by 0",
    read=FORMULA,
)
def without_eps(x, weight, eps):
    wide = x.float()
    return (weight * wide / wide.square().mean(-1, keepdim=True).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is ten times too large",
    "ten times eps is added to the mean square",
    read=FORMULA,
)
def eps_ten_times(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1, keepdim=True) + 10 * eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is squared",
    "the square of eps is added to the mean square, as if eps were a length",
    read=FORMULA,
)
def eps_squared(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1, keepdim=True) + eps**2).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is always 1e-6",
    "a fixed number is added to the mean square, whatever eps the model has",
    read="the parameters of rms_norm: where does eps come from?",
)
def fixed_eps(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1, keepdim=True) + 1e-6).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is a floor",
    "eps replaces a mean square below it, where it should be added to every one",
    read=FORMULA,
)
def eps_as_a_floor(x, weight, eps):
    wide = x.float()
    return (weight * wide / wide.square().mean(-1, keepdim=True).clamp(min=eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is added to the sum of squares",
    "eps is added before the sum is divided by the number of features",
    read=FORMULA,
)
def eps_in_the_sum(x, weight, eps):
    wide = x.float()
    return (
        weight * wide / ((wide.square().sum(-1, keepdim=True) + eps) / wide.shape[-1]).sqrt()
    ).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is added to the numbers",
    "eps is added to each number before it is squared",
    read=FORMULA,
)
def eps_in_the_numbers(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide + eps).square().mean(-1, keepdim=True).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is added twice",
    "eps is added under the root and once more after it",
    read=FORMULA,
)
def eps_twice(x, weight, eps):
    wide = x.float()
    return (weight * wide / ((wide.square().mean(-1, keepdim=True) + eps).sqrt() + eps)).to(x.dtype)


# -- the mean square ----------------------------------------------------------


@misconception(
    "rms_norm",
    "the mean is subtracted, as LayerNorm does",
    "each vector is moved to mean 0 before it is scaled",
    read="how the lesson sets RMSNorm apart from LayerNorm",
)
def layer_norm(x, weight, eps):
    wide = x.float()
    centred = wide - wide.mean(-1, keepdim=True)
    return (weight * centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the variance is taken for the mean square",
    "the mean is subtracted before squaring, though not from x itself",
    read=MEAN,
)
def by_variance(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.var(-1, keepdim=True, correction=0) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the unbiased variance is taken for the mean square",
    "torch's var subtracts the mean and divides by one less than the number of features",
    read=MEAN,
)
def by_unbiased_variance(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.var(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "x is divided by the standard deviation, and eps added to it",
    "torch's std subtracts the mean, and eps lies outside the root",
    read=FORMULA,
)
def by_standard_deviation(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.std(-1, keepdim=True) + eps)).to(x.dtype)


@misconception(
    "rms_norm",
    "the squares are summed, not averaged",
    "the sum is not divided by the number of features, so every vector gets length 1",
    read=MEAN,
)
def sum_of_squares(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().sum(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the mean is taken over the tokens",
    "each feature is normalised along the sentence, so tokens change one another",
    read=MEAN,
)
def over_the_tokens(x, weight, eps):
    wide = x.float()
    tokens = 0 if wide.ndim == 1 else -2
    return (weight * wide / (wide.square().mean(tokens, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the mean is taken over tokens and features together",
    "all tokens are divided by one number, so they change one another",
    read=MEAN,
)
def over_everything(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean() + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the mean square has lost its axis",
    "without keepdim the number of token t lines up with feature t",
    read="broadcasting in torch's documentation: which axes meet which?",
)
def without_keepdim(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the absolute values are averaged",
    "the mean of |x| stands where the root of the mean of x² belongs",
    read=FORMULA,
)
def mean_of_absolute_values(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.abs().mean(-1, keepdim=True) + eps)).to(x.dtype)


@misconception(
    "rms_norm",
    "the mean is squared, not the numbers",
    "the numbers are averaged first and squared then, and opposite signs cancel",
    read=FORMULA,
)
def square_of_the_mean(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.mean(-1, keepdim=True).square() + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the root is left out",
    "x is divided by the mean square itself",
    read=FORMULA,
)
def without_the_root(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


@misconception(
    "rms_norm",
    "x is multiplied by its root mean square",
    "the vector is made longer by what it should be divided by",
    read=FORMULA,
)
def multiplied(x, weight, eps):
    wide = x.float()
    return (weight * wide * (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


# -- the gain -----------------------------------------------------------------


@misconception(
    "rms_norm",
    "the gain is left out",
    "the normalised vector is returned as it is",
    read=GAIN,
)
def without_the_gain(x, weight, eps):
    wide = x.float()
    return (wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "1 is added to the gain",
    "the gain is taken for a distance from 1, as Gemma keeps it",
    read=GAIN,
)
def one_plus_the_gain(x, weight, eps):
    wide = x.float()
    return ((1 + weight) * wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the gain comes before the norm",
    "x is multiplied by the gain first, so the gain changes what x is divided by",
    read=GAIN,
)
def gain_before_the_norm(x, weight, eps):
    wide = x.float()
    scaled = weight * wide
    return (scaled / (scaled.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the gain is applied twice",
    "each feature is multiplied by the square of its gain",
    read=GAIN,
)
def gain_twice(x, weight, eps):
    wide = x.float()
    return (weight * weight * wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(
        x.dtype
    )


@misconception(
    "rms_norm",
    "the gain is added",
    "the gain is added to the normalised vector as a bias would be",
    read=GAIN,
)
def gain_as_a_bias(x, weight, eps):
    wide = x.float()
    return (weight + wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


# -- half precision -----------------------------------------------------------


@misconception(
    "rms_norm",
    "the squares are taken in half precision",
    "the squares are taken before the numbers become float32, and overflow or vanish",
    read=HALF,
)
def squares_in_half_precision(x, weight, eps):
    mean_square = x.square().mean(-1, keepdim=True)
    return weight * (x * (mean_square + eps).rsqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the mean square goes back to half precision too early",
    "the mean square is rounded to the dtype of x before the root is taken",
    read=HALF,
)
def mean_square_in_half_precision(x, weight, eps):
    mean_square = x.float().square().mean(-1, keepdim=True).to(x.dtype)
    return weight * x / (mean_square + eps).sqrt()


@misconception(
    "rms_norm",
    "the result stays float32",
    "half precision comes in and float32 comes out",
    read=HALF,
)
def returns_float32(x, weight, eps):
    wide = x.float()
    return weight.float() * wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()


@misconception(
    "rms_norm",
    "the gains decide the dtype of the result",
    "float32 gains make float32 of it, though x is in half precision: published code does so",
    read=HALF,
)
def at_the_dtype_of_the_gains(x, weight, eps):
    wide = x.float()
    normalised = wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()
    return (weight.float() * normalised).to(weight.dtype)


# -- gradients ----------------------------------------------------------------


@misconception(
    "rms_norm",
    "the root mean square is cut off from the gradient",
    "what x is divided by is taken for a constant, so training would go astray",
    read="what detach, item and no_grad do in torch's documentation",
)
def detached(x, weight, eps):
    wide = x.float()
    rms = (wide.square().mean(-1, keepdim=True) + eps).sqrt().detach()
    return (weight * wide / rms).to(x.dtype)


@misconception(
    "rms_norm",
    "a second small number is added beside eps",
    "the formula has ε alone, and with ε = 0 nothing is added",
    read=FORMULA,
)
def two_small_numbers(x, weight, eps):
    wide = x.float()
    mean_square = wide.square().mean(-1, keepdim=True) + 1e-7
    return (weight * wide / (mean_square + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the sum of squares is divided by D − 1",
    "one less than the number of features divides, as in a sample's variance",
    read=MEAN,
)
def one_less(x, weight, eps):
    wide = x.float()
    mean_square = wide.square().sum(-1, keepdim=True) / (wide.shape[-1] - 1)
    return (weight * wide / (mean_square + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the sum of squares is divided by len(x)",
    "that is the length of the first axis, the number of tokens or texts, not of features",
    read=MEAN,
)
def divided_by_len(x, weight, eps):
    wide = x.float()
    mean_square = wide.square().sum(-1, keepdim=True) / len(x)
    return (weight * wide / (mean_square + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the absolute values are averaged, and their mean is squared",
    "the square of the mean of |x| stands where the mean of x² belongs",
    read=FORMULA,
)
def square_of_the_mean_of_absolute_values(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.abs().mean(-1, keepdim=True).square() + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the standard deviation and eps stand under the root",
    "x is divided by √(σ + ε): the root of the variance is taken already, and of the mean square "
    "nothing is left",
    read=FORMULA,
)
def root_of_the_standard_deviation(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.std(-1, keepdim=True, correction=0) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the gain loses its sign",
    "a negative gain is taken as its absolute value",
    read=GAIN,
)
def gain_without_sign(x, weight, eps):
    wide = x.float()
    return (weight.abs() * wide / (wide.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "eps is always 1e-5",
    "a fixed number is added to the mean square, whatever eps is given",
    read="the parameters of rms_norm: where does eps come from?",
)
def fixed_larger_eps(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.square().mean(-1, keepdim=True) + 1e-5).sqrt()).to(x.dtype)


@misconception(
    "rms_norm",
    "the vector's length has a floor, and eps is not used",
    "`F.normalize` divides by the length, at least 1e-12, and √D makes up for the mean",
    read=FORMULA,
)
def by_normalize(x, weight, eps):
    wide = x.float()
    return (weight * F.normalize(wide, dim=-1) * wide.shape[-1] ** 0.5).to(x.dtype)
