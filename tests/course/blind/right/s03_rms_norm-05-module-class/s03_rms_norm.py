import torch
from torch import nn


class Norma(nn.Module):
    def __init__(self, èpsilon):
        super().__init__()
        self.èpsilon = èpsilon

    def arrel(self, v):
        # longitud / √D, però amb ε dins de l'arrel
        longitud2 = torch.linalg.vector_norm(v, dim=-1, keepdim=True) ** 2
        return torch.sqrt(longitud2 / v.shape[-1] + self.èpsilon)

    def forward(self, x, guany):
        v = x.to(torch.float32)
        return ((v / self.arrel(v)) * guany.to(torch.float32)).to(x.dtype)


def rms_norm(x, weight, eps):
    return Norma(eps)(x, weight)
