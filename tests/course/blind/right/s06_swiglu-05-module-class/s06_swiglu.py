import torch


class Silu(torch.nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


class Mlp:
    def __init__(self, w_gate, w_up, w_down):
        self.matrices = {"gate": w_gate, "up": w_up, "down": w_down}

    def project(self, name, vector):
        return torch.tensordot(vector, self.matrices[name], dims=([-1], [1]))

    def __call__(self, vector):
        neurons = silu(self.project("gate", vector)) * self.project("up", vector)
        return self.project("down", neurons)


def silu(x):
    return Silu()(x)


def swiglu(x, w_gate, w_up, w_down):
    return Mlp(w_gate, w_up, w_down)(x)
