# family: flooding | wants: a message of one line with a million letters, and one of a million lines | honest: red, rms_norm raised ValueError, with a short message
def rms_norm(x, weight, eps):
    raise ValueError("a" * 10**6 + "\n" * 10**6)
