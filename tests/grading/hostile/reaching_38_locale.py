# family: reaching | wants: numbers are written with a comma and days in another language, if the locale is there | honest: green, the numbers are right, and the other stages are judged as without it
import locale

import torch

for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "ar_SA.UTF-8", "C"):
    try:
        locale.setlocale(locale.LC_ALL, name)
        break
    except locale.Error:
        pass

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
