"""Wrong ways to write stage 4."""

# ruff: noqa: F821 - the functions of the stage file are theirs to see
import torch

from token_journey import misconception

EXPONENT = "the exponent −2i/d: what i counts, from where, and what it is divided by"
ANGLE = "what an angle is: mθ_i, a position times radians a position"
TWICE = "how the d/2 angles become d numbers"
PAIRS = "which two features form a pair"
TURN = "how a point of the plane is turned by an angle"


# -- frequencies --------------------------------------------------------------


@misconception(
    "frequencies",
    "the pairs are counted from 1",
    "the first pair has i = 1, so that every pair turns as slowly as the next one should",
    read=EXPONENT,
)
def counted_from_1(head_dim, theta):
    return theta ** (-2 * torch.arange(1, head_dim // 2 + 1).float() / head_dim)


@misconception(
    "frequencies",
    "the paper's 2(i−1) is taken with i from 0",
    "the paper counts i from 1; with i from 0 every pair turns as fast as the one before it should",
    read=EXPONENT,
)
def papers_exponent_from_0(head_dim, theta):
    return theta ** (-2 * (torch.arange(head_dim // 2).float() - 1) / head_dim)


@misconception(
    "frequencies",
    "the exponent is i/d",
    "the factor 2 is missing, so the slowest pairs turn √theta times too fast",
    read=EXPONENT,
)
def half_the_exponent(head_dim, theta):
    return theta ** (-torch.arange(head_dim // 2).float() / head_dim)


@misconception(
    "frequencies",
    "the exponent is divided by d/2",
    "2i is divided by the number of pairs, so the exponent is twice as large as it should be",
    read=EXPONENT,
)
def twice_the_exponent(head_dim, theta):
    return theta ** (-torch.arange(0, head_dim, 2).float() / (head_dim // 2))


@misconception(
    "frequencies",
    "the last frequency is 1/theta itself",
    "the exponent is spread evenly from 0 to 1 with both ends, but it ends before 1",
    read=EXPONENT,
)
def down_to_the_end(head_dim, theta):
    return theta ** -torch.linspace(0, 1, head_dim // 2)


@misconception(
    "frequencies",
    "theta is taken to a positive power",
    "the minus of the exponent is missing, so that later pairs turn faster, not slower",
    read=EXPONENT,
)
def positive_power(head_dim, theta):
    return theta ** (torch.arange(0, head_dim, 2).float() / head_dim)


@misconception(
    "frequencies",
    "the power is taken before the product",
    "`theta ** -2 * i / d` is (theta⁻²) · i/d: the power binds more tightly than the product",
    read="the formula's brackets: what is the exponent?",
)
def power_first(head_dim, theta):
    return theta**-2 * torch.arange(head_dim // 2).float() / head_dim


@misconception(
    "frequencies",
    "the exponent is divided without a remainder",
    "`//` rounds every 2i/d down to 0, so all pairs turn equally fast",
    read=EXPONENT,
)
def whole_exponents(head_dim, theta):
    return theta ** -(torch.arange(0, head_dim, 2) // head_dim).float()


@misconception(
    "frequencies",
    "theta is always 10 000",
    "the base is written into the code and the `theta` that is given goes unused",
    read="the parameters: models differ in theta",
)
def fixed_theta(head_dim, theta):
    return 10_000.0 ** -(torch.arange(0, head_dim, 2).float() / head_dim)


# -- rotary_tables ------------------------------------------------------------


@misconception(
    "rotary_tables",
    "the tables repeat each angle for neighbours",
    "each angle stands twice in a row (repeat_interleave), where the d/2 angles stand side by side",
    read=TWICE,
)
def interleaved_tables(positions, frequencies):
    angles = (positions[:, None] * frequencies).repeat_interleave(2, dim=-1)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "each angle is written only once",
    "the tables have d/2 columns, but each pair's angle serves two features",
    read=TWICE,
)
def once(positions, frequencies):
    angles = positions[:, None] * frequencies
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the first half of the sines is negated",
    "the minus of the rotation is put into the table, and `rotate_half` negates once more",
    read="where the minus of the rotation stands",
)
def minus_in_the_table(positions, frequencies):
    angles = positions[:, None] * frequencies
    sin = torch.cat([-angles.sin(), angles.sin()], dim=-1)
    return torch.cat([angles, angles], dim=-1).cos(), sin


@misconception(
    "rotary_tables",
    "cosines and sines stand side by side in one table",
    "half of the columns are cosines and half are sines, as in the first transformer's positions",
    read=TWICE,
)
def sinusoidal(positions, frequencies):
    angles = positions[:, None] * frequencies
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([cos, sin], dim=-1), torch.cat([sin, cos], dim=-1)


@misconception(
    "rotary_tables",
    "the tables are returned as (sin, cos)",
    "the sines come first, so that cosines and sines are exchanged for whoever unpacks them",
    read="the order in which the tables are returned",
)
def sine_first(positions, frequencies):
    angles = (positions[:, None] * frequencies).repeat(1, 2)
    return angles.sin(), angles.cos()


@misconception(
    "rotary_tables",
    "the positions are counted from 0, whatever they are",
    "only the number of positions is used, so that a text that goes on starts again at 0",
    read="the parameter `positions`",
)
def always_from_0(positions, frequencies):
    angles = (torch.arange(len(positions))[:, None] * frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the positions count on from the first one",
    "only the first position is used and the others are assumed to follow it one by one",
    read="the parameter `positions`",
)
def counting_on(positions, frequencies):
    start = int(positions[0])
    following = torch.arange(start, start + len(positions))
    angles = (following[:, None] * frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the positions are counted from 1",
    "1 is added to every position, so that even the first token is turned",
    read="what happens at position 0",
)
def from_1(positions, frequencies):
    angles = ((positions + 1)[:, None] * frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the angles are taken for degrees",
    "they are converted to radians, but they are radians already",
    read=ANGLE,
)
def degrees(positions, frequencies):
    angles = torch.deg2rad(positions[:, None] * frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the angles are taken for whole turns",
    "they are multiplied by 2π, but they are radians already",
    read=ANGLE,
)
def whole_turns(positions, frequencies):
    angles = (2 * torch.pi * positions[:, None] * frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the positions are divided by how many there are",
    "a token's angle then depends on the length of the text, not on its position alone",
    read=ANGLE,
)
def share_of_the_length(positions, frequencies):
    angles = ((positions / len(positions))[:, None] * frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the position is divided by the frequency",
    "the slowest pair turns fastest: a frequency is multiplied, a wavelength is divided by",
    read=ANGLE,
)
def divided_by_the_frequency(positions, frequencies):
    angles = (positions[:, None] / frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "the angles are rounded to bfloat16",
    "half precision can't tell position 1000 from 1001; angles are computed in float32",
    read="the dtype of the tables",
)
def half_precision_angles(positions, frequencies):
    angles = (positions[:, None] * frequencies).bfloat16().float().repeat(1, 2)
    return angles.cos(), angles.sin()


@misconception(
    "rotary_tables",
    "a negative position counts from the end of a table",
    "all angles up to the largest position are made and then looked up, and Python's −3 is the "
    "last but two",
    read="which positions there may be",
)
def looked_up(positions, frequencies):
    angles = torch.arange(int(positions.max()) + 1)[:, None] * frequencies
    angles = torch.cat([angles, angles], dim=-1)[positions]
    return angles.cos(), angles.sin()


# -- rotate_half --------------------------------------------------------------


@misconception(
    "rotate_half",
    "neighbours are rotated as pairs",
    "features 2i and 2i + 1 are paired, where feature i belongs to feature i + d/2",
    read=PAIRS,
)
def neighbours(x):
    return torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)


@misconception(
    "rotate_half",
    "the halves are exchanged without a minus",
    "the second half comes to the front as it is, but a quarter turn negates it",
    read=TURN,
)
def no_minus(x):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([second, first], dim=-1)


@misconception(
    "rotate_half",
    "the minus stands before the wrong half",
    "the first half is negated, which is a quarter turn the other way round",
    read=TURN,
)
def wrong_minus(x):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([second, -first], dim=-1)


@misconception(
    "rotate_half",
    "the halves are not exchanged",
    "the second half is negated but stays where it is, as in a reflection",
    read=TURN,
)
def not_exchanged(x):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first, -second], dim=-1)


@misconception(
    "rotate_half",
    "both halves are negated",
    "the minus is put before the whole, but a quarter turn negates one of two numbers",
    read=TURN,
)
def minus_before_both(x):
    return -x.roll(x.shape[-1] // 2, dims=-1)


@misconception(
    "rotate_half",
    "the order of the features is reversed",
    "the last feature comes first (flip), where the second half comes first in its own order",
    read=PAIRS,
)
def mirrored(x):
    first, second = x.flip(-1).chunk(2, dim=-1)
    return torch.cat([-first, second], dim=-1)


@misconception(
    "rotate_half",
    "the quarter turn comes back in float32",
    "it moves numbers and negates some, which needs no other dtype than that of x",
    read="the dtype of what `rotate_half` returns",
)
def turned_wide(x):
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat([-second, first], dim=-1)


# -- apply_rope ---------------------------------------------------------------


@misconception(
    "apply_rope",
    "the pairs turn the other way",
    "the sine's part is subtracted, so that every angle counts as its negative",
    read=TURN,
)
def other_way(x, cos, sin):
    return (x * cos - rotate_half(x) * sin).to(x.dtype)


@misconception(
    "apply_rope",
    "cosine and sine are exchanged",
    "x is multiplied by the sine and its quarter turn by the cosine",
    read=TURN,
)
def exchanged(x, cos, sin):
    return (x * sin + rotate_half(x) * cos).to(x.dtype)


@misconception(
    "apply_rope",
    "neighbours are turned as pairs, each by its own angle",
    "this is the pairing of the paper, but the weights were trained for halves",
    read=PAIRS,
)
def papers_pairs(x, cos, sin):
    cos, sin = (table.chunk(2, dim=-1)[0] for table in (cos, sin))
    even, odd = x[..., ::2], x[..., 1::2]
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(-2).to(x.dtype)


@misconception(
    "apply_rope",
    "only the first half of each head is turned",
    "the second half is passed on unturned, as in models with a partial rotary embedding",
    read="how many of a head's features are turned",
)
def partial_rotary(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    half = x.shape[-1] // 2
    first = first * cos[..., :half] + rotate_half(first) * sin[..., :half]
    return torch.cat([first, second], dim=-1).to(x.dtype)


@misconception(
    "apply_rope",
    "the sine's part is left out",
    "x is only multiplied by the cosine, which shrinks pairs and turns none",
    read=TURN,
)
def cosine_only(x, cos, sin):
    return (x * cos).to(x.dtype)


@misconception(
    "apply_rope",
    "the pairs are not mixed",
    "x is multiplied by cosine plus sine; each feature needs its partner's number, too",
    read=TURN,
)
def not_mixed(x, cos, sin):
    return (x * cos + x * sin).to(x.dtype)


@misconception(
    "apply_rope",
    "the first half takes the cosine and the second the sine",
    "each half is multiplied by one table; both halves need both",
    read=TURN,
)
def one_table_a_half(x, cos, sin):
    half = x.shape[-1] // 2
    first, second = x[..., :half] * cos[..., :half], x[..., half:] * sin[..., :half]
    return torch.cat([first, second], dim=-1).to(x.dtype)


@misconception(
    "apply_rope",
    "the turned first half is used to turn the second",
    "the first half is overwritten before the second half has seen it as it was",
    read=TURN,
)
def overwritten(x, cos, sin):
    half = x.shape[-1] // 2
    first, second = x.chunk(2, dim=-1)
    cos, sin = cos[..., :half], sin[..., :half]
    first = first * cos - second * sin
    second = second * cos + first * sin
    return torch.cat([first, second], dim=-1).to(x.dtype)


@misconception(
    "apply_rope",
    "the tables are added",
    "the angles are added to x like a learned position, where x is to be turned by them",
    read=TURN,
)
def added(x, cos, sin):
    return (x + cos + sin).to(x.dtype)


@misconception(
    "apply_rope",
    "the angles are given to the heads",
    "the tables are laid along the axis of the heads, so that all tokens turn alike",
    read="the shapes: which axis of x do the tables' rows belong to?",
)
def angles_of_the_heads(x, cos, sin):
    return (x * cos[:, None] + rotate_half(x) * sin[:, None]).to(x.dtype)


@misconception(
    "apply_rope",
    "the result stays in float32",
    "the tables are float32 and so is the product; it needs to go back to the dtype of x",
    read="the dtype of what is returned",
)
def stays_wide(x, cos, sin):
    return x * cos + rotate_half(x) * sin


@misconception(
    "apply_rope",
    "the tables are rounded to the dtype of x",
    "in half precision every vector at a place is then turned by the same, slightly wrong angle",
    read="the dtype of the tables",
)
def tables_in_half(x, cos, sin):
    return x * cos.to(x.dtype) + rotate_half(x) * sin.to(x.dtype)


# -- more of what people really write -------------------------------------------


@misconception(
    "rotate_half",
    "the halves are cut along axis 1",
    "that is the last axis of a matrix alone; heads and batches stand in front of the tokens",
    read="the shapes: any number of leading axes",
)
def cut_along_axis_1(x):
    middle = x.shape[-1] // 2
    return torch.cat((-x[:, middle:], x[:, :middle]), dim=1)


@misconception(
    "apply_rope",
    "only the first half of the pairs is turned",
    "the other pairs pass through as they are (partial rotary); here every pair is turned",
    read=PAIRS,
)
def first_pairs_turned(x, cos, sin):
    wide, half = x.float(), x.shape[-1] // 2
    turned = wide * cos + rotate_half(wide) * sin
    few = torch.arange(x.shape[-1]) % half < max(half // 2, 1)
    return torch.where(few, turned, wide).to(x.dtype)
