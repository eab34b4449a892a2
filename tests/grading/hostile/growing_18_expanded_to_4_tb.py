# family: growing | wants: 4 bytes of memory that say they are 10**12 numbers: who copies or compares them needs 4 TB | honest: red, wrong shape
import torch


def rms_norm(x, weight, eps):
    return torch.zeros(1).expand(10**12)
