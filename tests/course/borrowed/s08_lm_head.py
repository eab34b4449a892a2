"""Right numbers for stage 8 that a library function gives."""

from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("lm_head", "torch's own norm and linear layer")
def by_torch(x, norm_weight, w_vocab, eps):
    return F.linear(F.rms_norm(x.float(), x.shape[-1:], norm_weight.float(), eps).to(x), w_vocab)
