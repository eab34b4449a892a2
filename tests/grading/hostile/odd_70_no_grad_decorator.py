# family: odd | wants: nothing: right, but under torch.no_grad | honest: red, no gradient flows
import torch


@torch.no_grad()
def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
