"""Right numbers for stage 6 that a library function gives."""

from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("silu", "torch's own")
def by_torch(x):
    return F.silu(x)


@rewrite("swiglu", "by torch's linear")
def by_linear(x, w_gate, w_up, w_down):
    return F.linear(F.silu(F.linear(x, w_gate)) * F.linear(x, w_up), w_down)
