# family: reaching | wants: gradients are off from now on | honest: either, without a gradient in its own stage, and the other stages are judged as without it
import torch

torch.set_grad_enabled(False)

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
