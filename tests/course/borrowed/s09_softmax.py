"""Right numbers for stage 9 that a library function gives."""

import torch

from token_journey.course.misconceptions import rewrite


@rewrite("softmax", "torch's own")
def by_torch(logits, dim=-1):
    return torch.softmax(logits, dim)
