# family: odd | wants: right numbers in an inference tensor, which no graph may use | honest: red, no gradient flows
import torch

def _true(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


def rms_norm(x, weight, eps):
    with torch.inference_mode():
        return _true(x, weight, eps)
