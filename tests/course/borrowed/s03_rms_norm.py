"""Right numbers for stage 3 that a library function gives."""

from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("rms_norm", "torch's own")
def by_torch(x, weight, eps):
    return F.rms_norm(x.float(), (x.shape[-1],), weight.float(), eps).to(x.dtype)
