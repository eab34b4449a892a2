"""Right numbers for stage 2 that a library function gives."""

from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("embed", "torch's own, which minds the range")
def by_torch(token_ids, table):
    return F.embedding(token_ids, table)
