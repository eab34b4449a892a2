from jaxtyping import Float
from torch import Tensor


def rms_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float
) -> Float[Tensor, "... D"]:
    """γ ⊙ x / √(mean(x²) + ε)"""
    rms = (x.square().mean(dim=-1, keepdim=True) + eps).sqrt()
    return (weight * x / rms).to(x.dtype)
