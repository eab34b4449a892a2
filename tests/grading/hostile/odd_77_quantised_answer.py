# family: odd | wants: a quantised tensor | honest: red, wrong dtype
import torch


def rms_norm(x, weight, eps):
    return torch.quantize_per_tensor(x.detach().float(), 0.1, 0, torch.qint8)
