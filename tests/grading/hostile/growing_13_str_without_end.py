# family: growing | wants: the message grows each time it is asked for | honest: red, rms_norm raised an exception, with a short message
class Growing(Exception):
    size = 1

    def __str__(self):
        Growing.size = min(Growing.size * 1000, 10**9)
        return "x" * Growing.size

    __repr__ = __str__


def rms_norm(x, weight, eps):
    raise Growing
