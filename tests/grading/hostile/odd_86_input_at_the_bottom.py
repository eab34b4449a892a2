# family: odd | wants: nothing: input() at the bottom, under the usual guard | honest: green, the numbers are right
import torch

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


if __name__ == "__main__":
    input("Enter to go on")
