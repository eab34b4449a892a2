"""Wrong ways to write stage 6."""
# ruff: noqa: F821

import torch

from token_journey import misconception

SILU = "the formula of SiLU, and what it gives at 0, far left and far right"
OVERFLOW = "what the lesson says of large numbers: which power of e stays small on each side?"
GATED = "the formula of the gated MLP: which branch goes through SiLU, and how do the two meet?"
SHAPES = "the shapes of the three weights: what is summed away in each product?"


# -- silu ---------------------------------------------------------------------


@misconception(
    "silu",
    "the sigmoid stands alone",
    "σ(x) is returned, without the x in front",
    read=SILU,
)
def sigmoid_alone(x):
    return torch.sigmoid(x)


@misconception(
    "silu",
    "the activation is GELU",
    "x is multiplied by the normal distribution's Φ(x), not by σ(x)",
    read=SILU,
)
def gelu(x):
    return torch.nn.functional.gelu(x)


@misconception(
    "silu",
    "the activation is GELU by tanh",
    "x is multiplied by the tanh formula for Φ(x), not by σ(x)",
    read=SILU,
)
def gelu_by_tanh(x):
    return torch.nn.functional.gelu(x, approximate="tanh")


@misconception(
    "silu",
    "the sigmoid is sharpened by 1.702",
    "x · σ(1.702 x) is returned, which stands in for GELU",
    read=SILU,
)
def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


@misconception(
    "silu",
    "x itself is cut off where e^x would overflow",
    "a large x comes out as the limit; only the power of e has to be kept small",
    read=OVERFLOW,
)
def input_cut_off(x):
    cut = x.clamp(-11, 11)
    return cut * torch.sigmoid(cut)


@misconception(
    "silu",
    "the activation is ReLU",
    "everything below 0 is cut off, where SiLU dips",
    read=SILU,
)
def relu(x):
    return torch.relu(x)


@misconception(
    "silu",
    "the activation is tanh",
    "the numbers are squeezed between −1 and 1",
    read=SILU,
)
def tanh(x):
    return torch.tanh(x)


@misconception(
    "silu",
    "x is multiplied by tanh",
    "x · tanh(x) is returned: tanh goes from −1 to 1, σ from 0 to 1",
    read=SILU,
)
def x_tanh(x):
    return x * torch.tanh(x)


@misconception(
    "silu",
    "the activation is softplus",
    "log(1 + e^x) is returned, the integral of σ",
    read=SILU,
)
def softplus(x):
    return torch.nn.functional.softplus(x)


@misconception(
    "silu",
    "the activation is Mish",
    "x · tanh(softplus(x)) is returned",
    read=SILU,
)
def mish(x):
    return torch.nn.functional.mish(x)


@misconception(
    "silu",
    "the sigmoid is made of straight lines",
    "σ is replaced by a ramp from −3 to 3, as hard-swish does",
    read=SILU,
)
def hard_swish(x):
    return torch.nn.functional.hardswish(x)


@misconception(
    "silu",
    "the activation is left out",
    "the gate goes through as it is",
    read=SILU,
)
def identity(x):
    return x * 1


@misconception(
    "silu",
    "the exponent has the wrong sign",
    "x is divided by 1 + e^x, so that the left side is open and the right side shut",
    read=SILU,
)
def wrong_sign(x):
    return x * torch.sigmoid(-x)


@misconception(
    "silu",
    "1 is subtracted where it should be added",
    "x is divided by 1 − e^(−x), which is 0 at x = 0",
    read=SILU,
)
def one_minus(x):
    return x / (1 - torch.exp(-x))


@misconception(
    "silu",
    "e^x is divided by 1 + e^x",
    "e^x overflows from x = 89 on in float32, and ∞/∞ is NaN",
    read=OVERFLOW,
)
def overflowing(x):
    return x * torch.exp(x) / (1 + torch.exp(x))


@misconception(
    "silu",
    "the exponent is cut off",
    "x is held between −5 and 5 in the sigmoid, so the gate never shuts",
    read=OVERFLOW,
)
def clamped(x):
    return x * torch.sigmoid(x.clamp(-5, 5))


@misconception(
    "silu",
    "the gradient is no number where e^(−x) overflows",
    "x / ∞ is 0, as it should be, but the slope of that quotient is ∞/∞",
    read=OVERFLOW,
)
def as_a_quotient(x):
    return x / (1 + torch.exp(-x))


@misconception(
    "silu",
    "the power of e is kept below float32's limit, which float16 can't write",
    "in float16 e^12 is ∞ already: the quotient is 0, and its slope ∞/∞",
    read=OVERFLOW,
)
def limit_of_float32(x):
    return x / (1 + torch.exp(-x.clamp(min=-80)))


# -- swiglu -------------------------------------------------------------------


@misconception(
    "swiglu",
    "the activation is on the wrong branch",
    "SiLU is applied to up and not to gate: the two are exchanged",
    read=GATED,
)
def wrong_branch(x, w_gate, w_up, w_down):
    return ((x @ w_gate.mT) * silu(x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "SiLU is applied to both branches",
    "up goes through the activation as well as gate",
    read=GATED,
)
def both_branches(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate.mT) * silu(x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "SiLU is applied to the product",
    "gate and up are multiplied first and go through the activation together",
    read=GATED,
)
def bent_product(x, w_gate, w_up, w_down):
    return silu((x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "SiLU is applied to neither branch",
    "gate and up are multiplied as they are",
    read=GATED,
)
def bilinear(x, w_gate, w_up, w_down):
    return ((x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "gate and up are added",
    "the two branches meet in a sum, so that a shut gate holds nothing back",
    read=GATED,
)
def added(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate.mT) + x @ w_up.mT) @ w_down.mT


@misconception(
    "swiglu",
    "the gate is a bare sigmoid",
    "up is multiplied by σ(gate), as in the first gated linear units, not by SiLU(gate)",
    read=GATED,
)
def sigmoid_gate(x, w_gate, w_up, w_down):
    return (torch.sigmoid(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "up is left out",
    "the gate goes down alone, as in an MLP without a gate",
    read=GATED,
)
def without_up(x, w_gate, w_up, w_down):
    return silu(x @ w_gate.mT) @ w_down.mT


@misconception(
    "swiglu",
    "the gate is left out",
    "up goes down alone, so that the MLP is one linear map",
    read=GATED,
)
def without_gate(x, w_gate, w_up, w_down):
    return (x @ w_up.mT) @ w_down.mT


@misconception(
    "swiglu",
    "gate serves as up",
    "both branches are made with the gate's weight",
    read=GATED,
)
def gate_twice(x, w_gate, w_up, w_down):
    gate = x @ w_gate.mT
    return (silu(gate) * gate) @ w_down.mT


@misconception(
    "swiglu",
    "the activation comes last",
    "SiLU is applied to what down writes back, and not to the gate",
    read=GATED,
)
def bent_at_the_end(x, w_gate, w_up, w_down):
    return silu(((x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT)


@misconception(
    "swiglu",
    "the input is added to the output",
    "the MLP returns x + MLP(x); adding to the stream is the layer's task",
    read="what the lesson says swiglu returns",
)
def with_residual(x, w_gate, w_up, w_down):
    return x + (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "down is left out",
    "what the neurons hold is returned, F numbers a token",
    read=SHAPES,
)
def without_down(x, w_gate, w_up, w_down):
    return silu(x @ w_gate.mT) * (x @ w_up.mT)


@misconception(
    "swiglu",
    "down is not transposed",
    "the product runs over the rows of w_down; only where F = D does that even fit",
    read=SHAPES,
)
def down_as_it_is(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down


@misconception(
    "swiglu",
    "gate and up are not transposed",
    "the products run over the rows of w_gate and w_up; only where F = D does that even fit",
    read=SHAPES,
)
def gate_and_up_as_they_are(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate) * (x @ w_up)) @ w_down.mT


@misconception(
    "swiglu",
    "no weight is transposed",
    "each product runs over the rows of the weight; only where F = D does that even fit",
    read=SHAPES,
)
def weights_as_they_are(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate) * (x @ w_up)) @ w_down


# -- more of what people really write -------------------------------------------


@misconception(
    "swiglu",
    "down is reshaped, not transposed",
    "the shape fits, (F, D), but the numbers stand in wrong places",
    read=SHAPES,
)
def down_reshaped(x, w_gate, w_up, w_down):
    return (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.reshape(w_down.shape[::-1])


@misconception(
    "swiglu",
    "the input is normalised once more",
    "it comes normalised: the norm belongs to the layer of stage 7",
    read=GATED,
)
def normalised_again(x, w_gate, w_up, w_down):
    x = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return (silu(x @ w_gate.mT) * (x @ w_up.mT)) @ w_down.mT


@misconception(
    "swiglu",
    "gate and up are taken apart as even and odd places",
    "of one joined product the first half is the gate and the second half is up",
    read=GATED,
)
def even_and_odd(x, w_gate, w_up, w_down):
    both = x @ torch.cat([w_gate, w_up]).mT
    return (silu(both[..., 0::2]) * both[..., 1::2]) @ w_down.mT
