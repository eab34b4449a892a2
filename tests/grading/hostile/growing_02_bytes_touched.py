# family: growing | wants: 6 GB in pieces of 100 MB, each written to | honest: red, rms_norm used too much memory
def rms_norm(x, weight, eps):
    kept = [b"x" * 100_000_000 for _ in range(60)]
    return x * weight * len(kept[0]) / 1e8
