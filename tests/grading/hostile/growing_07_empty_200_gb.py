# family: growing | wants: asks for 200 GB and touches none | honest: red, rms_norm raised RuntimeError
import torch


def rms_norm(x, weight, eps):
    return torch.empty(50 * 10**9, dtype=torch.float32)
