from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    wide = x.float()
    length = (wide.pow(2).sum(dim=-1, keepdim=True) + eps).sqrt()
    return (weight.float() * wide / length).to(x.dtype)
