# family: odd | wants: a batched tensor that left its vmap | honest: red, the answer is not readable
import torch

kept = []


def rms_norm(x, weight, eps):
    kept.clear()
    torch.vmap(lambda row: (kept.append(row), row)[1])(x.detach().reshape(-1, x.shape[-1]))
    return kept[0]
