# family: growing | wants: the exception's arguments hold 2 GB | honest: red, rms_norm raised ValueError, with a short message
def rms_norm(x, weight, eps):
    raise ValueError(*[b"x" * 100_000_000 for _ in range(20)])
