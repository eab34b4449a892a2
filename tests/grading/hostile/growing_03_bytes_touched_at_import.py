# family: growing | wants: 6 GB while the file is loaded, kept for the whole run | honest: red, the file used too much memory while it was loaded
kept = [b"x" * 100_000_000 for _ in range(60)]

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
