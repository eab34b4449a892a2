# family: ending | wants: a BaseException of one's own slips through except Exception | honest: red, rms_norm raised an exception
class Quiet(BaseException):
    pass


def rms_norm(x, weight, eps):
    raise Quiet
