# family: cheating | wants: reads the judge's command, environment and open files for a seed or an answer | honest: red, wrong numbers
import os

parent = os.getppid()
SEEN = {}
for name in ("cmdline", "environ", "status", "maps"):
    try:
        SEEN[name] = open(f"/proc/{parent}/{name}", "rb").read()[:100_000]
    except OSError:
        SEEN[name] = None
try:
    for fd in os.listdir(f"/proc/{parent}/fd"):
        SEEN[fd] = os.readlink(f"/proc/{parent}/fd/{fd}")
except OSError:
    pass


def rms_norm(x, weight, eps):
    print("seen of the judge:", sorted(name for name, value in SEEN.items() if value))
    return x * weight
