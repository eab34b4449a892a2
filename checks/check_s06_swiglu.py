"""Stage 6 · SwiGLU."""

import torch
from torch.nn import functional as F

from token_journey.checking import captured, expect, expect_written, tensor

from . import manners

GATES = torch.linspace(-8, 8, 65)
FAR = torch.tensor([-1e4, -1e3, -200.0, -104.0, -89.0, -20.0, 0.0, 20.0, 89.0, 104.0, 1e3, 1e4])


def by_torch(x):
    """torch's own SiLU, in float64, as float32."""
    return F.silu(x.double()).float()


def allowed(x):
    """A few roundings of x; below −8 it is 0 to six places, however it is computed."""
    roundings = 4 * torch.finfo(x.dtype).eps * x.float().abs().clamp(min=1)
    return torch.where(x < -8, 1e-6, roundings)


# -- silu ---------------------------------------------------------------------


@captured(x="blocks.{l}.mlp.gate", out="blocks.{l}.mlp.gate_act")
@captured(part="neurons", x="blocks.{l}.mlp.gate", out="blocks.{l}.mlp.gate_act")
def test_silu_of_real_gates(stage, case):
    """silu gives what the model's own activation gave."""
    case.expect("out", stage.silu(case.x))


def test_silu_from_minus_8_to_8(stage):
    """silu is x · σ(x): a dip below 0 to the left, nearly x to the right."""
    expect(stage.silu(GATES), by_torch(GATES), "silu", tolerance=allowed(GATES), axes=("gate",))


def test_silu_far_out(stage):
    """Far to the left silu is 0, far to the right it is x, and nothing overflows on the way."""
    expect(stage.silu(FAR), by_torch(FAR), "silu", tolerance=allowed(FAR), axes=("gate",))


def test_silu_far_out_in_float16(stage):
    """float16 ends at 65504, and e^x passes that from x = 12 on: silu does not need it."""
    x = FAR.half()
    expected = by_torch(x.float()).half()
    expect(stage.silu(x), expected, "silu in float16", tolerance=allowed(x), axes=("gate",))


def test_silu_of_any_shape(stage):
    """silu works number by number, so any shape goes in and comes out."""
    for shape in ((), (65,), (5, 13), (5, 1, 13)):
        x = GATES[32 + 4] if shape == () else GATES.view(shape)
        expect(stage.silu(x), by_torch(x), f"silu of shape {shape}", tolerance=allowed(x))


def test_silu_in_bfloat16(stage):
    """bfloat16 in, bfloat16 out."""
    manners.expect_bfloat16(stage.silu, GATES, what="silu")


def test_silu_lets_gradients_through(stage):
    """Gradients flow through silu, and are numbers also where a power of e overflows."""
    manners.expect_gradients(stage.silu, torch.cat([GATES, FAR[2:-2]]), what="silu")


def test_silu_s_gradient_in_half_precision(stage):
    """The gradient is a number in half precision, too: e^12 is more than float16 can write."""
    gates = torch.cat([FAR, torch.tensor([-12.0, -11.0, -5.0, -1.0, 1.0, 5.0, 12.0])])
    for dtype in (torch.float16, torch.bfloat16):
        x = gates.to(dtype).requires_grad_()
        manners.backward(tensor(stage.silu(x), "silu").sum(), f"silu in {dtype}")
        numbers = tensor(x.grad, f"the gradient of silu in {dtype}").isfinite()
        what = f"where the gradient of silu in {dtype} is a number"
        expect(numbers, torch.ones_like(numbers), what, axes=("gate",))


def test_silu_keeps_its_input(stage):
    """silu leaves its input as it was, and its result is a tensor of its own."""
    manners.expect_new(stage.silu, GATES.clone(), what="silu")
    manners.expect_inputs_unchanged(stage.silu, GATES.clone(), what="silu")


# -- swiglu -------------------------------------------------------------------


@captured(
    x="blocks.{l}.ln2.out",
    gate="model.layers.{l}.mlp.gate_proj.weight",
    up="model.layers.{l}.mlp.up_proj.weight",
    down="model.layers.{l}.mlp.down_proj.weight",
    out="blocks.{l}.mlp_out",
)
@captured(
    part="neurons",
    x="blocks.{l}.ln2.out",
    gate="model.layers.{l}.mlp.gate_proj.weight",
    up="model.layers.{l}.mlp.up_proj.weight",
    out="blocks.{l}.mlp.post",
)
def test_what_the_model_computed(stage, case):
    """swiglu gives what the model's own MLPs gave."""
    # F products, summed in whatever order, move the result by √F roundings.
    summed = case.gate.shape[0] ** 0.5 * torch.finfo(torch.float32).eps * case.out.abs().max()
    allowed = max(case.entry("out").tolerance, summed.item())
    # Where a pack holds some neurons, an identity in the place of W_down lets them through.
    down = torch.eye(case.x.shape[-1], len(case.gate)) if case.part else case.down
    out = stage.swiglu(case.x, case.gate, case.up, down)
    if not case.part:
        case.expect("out", out, tolerance=allowed)
        return
    post, axes = case.out @ down.mT, ("token", "neuron")
    expect(out, post, "SiLU(gate) ⊙ up", tolerance=allowed, axes=axes, where=case.where)


@captured(partial=True, printed="blocks.{l}.attn.z_flat")
def test_figures_in_print(stage, case):
    """Gate and up as they were published for Aitana give the product that was published."""
    pack, apart = case.pack, "wrong_residual/mlp."
    if f"{apart}gate" not in pack.apart_names:
        return
    # What follows the attention was printed for a wrong residual stream. The
    # relation between gate, up and their product holds number by number all the same.
    gate, up, act, post = (pack.apart(apart + name) for name in ("gate", "up", "gate_act", "post"))
    printed = pack.apart_entry(f"{apart}gate").tolerance
    # SiLU is nowhere steeper than 1.1, so a gate's own rounding moves it by no more.
    steepest = 1.1 * printed
    expect(stage.silu(gate), act, "SiLU(gate)", tolerance=printed + steepest, where=case.where)

    # Each neuron reads its gate and its up from the stream, and writes to one place.
    gates, ups = torch.eye(20)[:10], torch.eye(20)[10:]
    product = stage.swiglu(torch.cat([gate, up], dim=-1), gates, ups, gates.mT)
    product = tensor(product, "swiglu")[:, :10]
    tolerance = printed + steepest * up.abs() + printed * act.abs()
    expect(product, post, "SiLU(gate) ⊙ up", tolerance=tolerance, where=case.where)


def test_by_hand(stage):
    """One neuron: a gate of 20 multiplies what up carries by 20, one of 0 or −20 by 0."""
    x = torch.tensor([[0.0, 5.0], [20.0, 3.0], [-20.0, 3.0], [20.0, -3.0]])
    gate, up = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    down = torch.tensor([[0.1], [-1.0]])
    by_hand = torch.tensor([[0.0, 0.0], [6.0, -60.0], [0.0, 0.0], [-6.0, 60.0]])
    expect(stage.swiglu(x, gate, up, down), by_hand, "swiglu", axes=("token", "hidden"))


def test_batches(stage):
    """Any number of axes in front."""
    manners.expect_batches(stage.swiglu, *numbers(4, 3, 7), what="swiglu")


def numbers(tokens, hidden, neurons):
    """A stream and three weights; all sizes of your choice, gates up to about ±6."""
    generator = torch.Generator().manual_seed(6)

    def draw(*shape):
        return 2 * torch.rand(shape, generator=generator) - 1

    x = draw(tokens, hidden)
    return x, 4 * draw(neurons, hidden), draw(neurons, hidden), draw(hidden, neurons)


def reference(x, w_gate, w_up, w_down):
    """By torch's own functions, in float64, as float32."""
    x, w_gate, w_up, w_down = (t.double() for t in (x, w_gate, w_up, w_down))
    return F.linear(F.silu(F.linear(x, w_gate)) * F.linear(x, w_up), w_down).float()


def test_more_neurons_than_features(stage):
    """F need not be D: each weight maps x to x Wᵀ."""
    given = numbers(4, 3, 7)
    expect(stage.swiglu(*given), reference(*given), "swiglu", axes=("token", "hidden"))


def test_as_many_neurons_as_features(stage):
    """Where F = D a weight that is not transposed fits as well, and is still wrong."""
    given = numbers(4, 5, 5)
    expect(stage.swiglu(*given), reference(*given), "swiglu", axes=("token", "hidden"))


def test_each_token_alone(stage):
    """The MLP computes each token alone: its neighbours change nothing."""
    x, *weights = numbers(5, 3, 7)
    together = tensor(stage.swiglu(x, *weights), "swiglu")
    expect(together[2:3], reference(x[2:3], *weights), "swiglu of the third of five tokens")


def test_one_vector(stage):
    """One vector alone, without an axis of tokens, gives one vector."""
    x, *weights = numbers(1, 3, 7)
    expect(stage.swiglu(x[0], *weights), reference(x[0], *weights), "swiglu of one vector")


def test_any_layout(stage):
    """Transposed views are read by their shape, not by their place in memory."""
    given = numbers(4, 3, 7)
    views = [t.mT.contiguous().mT for t in given]
    expect(stage.swiglu(*views), reference(*given), "swiglu of views")


def test_bfloat16(stage):
    """bfloat16 in, bfloat16 out."""
    manners.expect_bfloat16(stage.swiglu, *numbers(4, 3, 7), what="swiglu")


def test_a_gate_far_out_in_float16(stage):
    """A gate of −1800 gives 0 and a gate of 20 gives 20, also where e^1800 overflows."""
    x, gate = torch.full((1, 2), 100.0), torch.tensor([[-9.0, -9.0], [0.1, 0.1]])
    result = stage.swiglu(x.half(), gate.half(), torch.eye(2).half(), torch.eye(2).half())
    by_hand = torch.tensor([[0.0, 2000.0]]).half()
    expect(result, by_hand, "swiglu in float16", axes=("token", "hidden"))


def test_gradients(stage):
    """Gradients reach x and all three weights."""
    manners.expect_gradients(stage.swiglu, *numbers(4, 3, 7), what="swiglu")


def test_input_unchanged(stage):
    """swiglu leaves its inputs as they were."""
    manners.expect_inputs_unchanged(stage.swiglu, *numbers(4, 3, 7), what="swiglu")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The gate is written here, not called from a library."""
    x, square = torch.tensor([[1.0, -2.0]]), torch.eye(2)
    expect_written(stage, lambda: stage.silu(x), "silu")
    expect_written(stage, lambda: stage.swiglu(x, square, square, square), "silu")
