import torch


class _RMS(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, eps):
        inverse = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x, gain, inverse)
        return gain * x * inverse

    @staticmethod
    def backward(ctx, up):
        x, gain, inverse = ctx.saved_tensors
        unit = x * inverse
        through = up * gain
        # the length moves too: take away the part along x
        grad_x = inverse * (through - unit * (through * unit).mean(-1, keepdim=True))
        grad_gain = (up * unit).reshape(-1, x.shape[-1]).sum(0)
        return grad_x, grad_gain, None


def rms_norm(x, weight, eps):
    return _RMS.apply(x.float(), weight.float(), eps).to(x.dtype)
