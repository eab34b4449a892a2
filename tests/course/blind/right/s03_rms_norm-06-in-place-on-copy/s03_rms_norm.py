import functools


def in_float32(function):
    """Run in float32, hand back the dtype that came."""

    @functools.wraps(function)
    def wrapped(x, weight, eps):
        return function(x.float(), weight.float(), eps).to(x.dtype)

    return wrapped


@in_float32
def rms_norm(x, weight, eps):
    out = x.clone()
    out *= ((x * x).mean(-1, keepdim=True) + eps).rsqrt()
    out *= weight
    return out
