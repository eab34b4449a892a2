# family: hanging | wants: another thread waits for a file that is still being loaded | honest: red, the file did not load in time
import importlib
import threading

thread = threading.Thread(target=lambda: importlib.import_module(__name__).rms_norm)
importlib._bootstrap._blocking_on  # the table of who waits for whom
lock = importlib._bootstrap._get_module_lock("torch.never_loaded")
holder = threading.Thread(target=lock.acquire)
holder.start()
holder.join()
lock.acquire()

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
