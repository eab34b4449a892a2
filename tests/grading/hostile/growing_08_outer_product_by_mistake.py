# family: growing | wants: nothing: a student broadcasts every number against every number | honest: red, rms_norm used too much memory or raised RuntimeError
def rms_norm(x, weight, eps):
    flat = x.flatten().repeat(20_000 // max(1, x.numel()) + 1)[:20_000]
    return (flat[:, None] * flat[None, :] + eps).sqrt()  # 20,000² numbers, 1.6 GB a step
