from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    f = x.float()
    f = f * (f.pow(2).mean(-1, keepdim=True) + eps).rsqrt()
    return (f * weight.float()[:, None]).to(x.dtype)
