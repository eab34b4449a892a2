# family: odd | wants: nothing: reads the command line while it is loaded | honest: either, green where the command line is empty, red where argparse raises SystemExit
import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--eps", type=float, default=1e-5)
options = parser.parse_args()

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
