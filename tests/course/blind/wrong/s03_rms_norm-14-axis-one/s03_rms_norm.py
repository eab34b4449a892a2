from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    y = x.float()
    # x is (tokens, features)
    ms = y.pow(2).mean(1, keepdim=True)
    return ((y / (ms + eps).sqrt()) * weight.float()).to(x.dtype)
