# family: crashing | wants: a fork while torch's threads run, then torch in the child | honest: red, wrong numbers or no answer in time
import os

import torch


def rms_norm(x, weight, eps):
    torch.set_num_threads(4)
    torch.randn(1000, 1000) @ torch.randn(1000, 1000)
    child = os.fork()
    if child == 0:
        torch.randn(1000, 1000) @ torch.randn(1000, 1000)
        os._exit(0)
    os.waitpid(child, 0)
    return x * weight
