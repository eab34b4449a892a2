# family: hanging | wants: wrong, and a child keeps every channel open: waiting for its end lasts five minutes | honest: red, wrong numbers, and without waiting for the child
import subprocess
import sys

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], close_fds=False)

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
