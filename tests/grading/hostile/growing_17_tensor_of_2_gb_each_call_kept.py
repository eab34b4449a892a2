# family: growing | wants: right shape, but a view into 2 GB: who pickles the storage sends all of it | honest: red, wrong numbers
import torch

large = torch.zeros(500_000_000)


def rms_norm(x, weight, eps):
    return large[: x.numel()].view(x.shape)
