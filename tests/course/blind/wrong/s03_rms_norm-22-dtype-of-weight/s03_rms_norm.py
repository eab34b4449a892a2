from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    y = x.float()
    y = y / (y.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    return (y * weight.float()).type_as(weight)
