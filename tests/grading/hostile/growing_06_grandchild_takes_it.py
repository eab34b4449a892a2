# family: growing | wants: the asked process stays small, a grandchild takes 6 GB | honest: red, the processes used too much memory, or wrong numbers
import subprocess
import sys

code = """
import socket, time
taken = socket.socket(socket.AF_UNIX)
taken.bind("\\0hostile-grandchild")  # one at a time
kept = [b"x" * 100_000_000 for _ in range(60)]
time.sleep(20)
"""


def rms_norm(x, weight, eps):
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL)
    return x * weight
