# family: odd | wants: torch.jit.script, whose answer is a ScriptFunction | honest: green, the numbers are right
import warnings

import torch

warnings.simplefilter("ignore")


def norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


rms_norm = torch.jit.script(norm)
