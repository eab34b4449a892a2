# family: crashing | wants: the exception pickles, but unpickling it raises in the judge | honest: red, rms_norm raised an exception
class Picky(Exception):
    def __init__(self, code, *, reason):
        super().__init__(f"{code}: {reason}")


def rms_norm(x, weight, eps):
    raise Picky(3, reason="a keyword that unpickling does not know")
