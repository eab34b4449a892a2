# family: odd | wants: asking the module for any name raises | honest: red, asking for rms_norm raised ZeroDivisionError
def __getattr__(name):
    return 1 / 0


def __dir__():
    raise SystemExit(0)
