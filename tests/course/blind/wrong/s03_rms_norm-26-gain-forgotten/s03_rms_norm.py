from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    # cada vector queda amb RMS 1
    z = x.float()
    z = z / (z.pow(2).mean(dim=-1, keepdim=True) + eps) ** 0.5
    return z.to(x.dtype)
