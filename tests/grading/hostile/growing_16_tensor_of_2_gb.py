# family: growing | wants: returns a tensor of 2 GB | honest: red, wrong shape
import torch


def rms_norm(x, weight, eps):
    return torch.zeros(500_000_000)
