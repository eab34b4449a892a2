# family: hanging | wants: nothing: right, but number by number | honest: either, the numbers are right and may come too late
import torch


def rms_norm(x, weight, eps):
    out = torch.zeros_like(x)
    rows, results = x.reshape(-1, x.shape[-1]), out.view(-1, x.shape[-1])
    for row, result in zip(rows, results, strict=True):
        total = 0.0
        for number in row:
            total += number.item() ** 2
        for i in range(len(row)):
            result[i] = row[i].item() / (total / len(row) + eps) ** 0.5 * weight[i].item()
    return out
