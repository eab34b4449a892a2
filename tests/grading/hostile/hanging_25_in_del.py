# family: hanging | wants: a destructor without an end | honest: red, no answer came in time
class Bomb:
    def __del__(self):
        while True:
            pass


def rms_norm(x, weight, eps):
    Bomb()
    return x * weight
