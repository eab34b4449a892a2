# family: crashing | wants: every number of the answer is the same place in memory | honest: red, wrong numbers
def rms_norm(x, weight, eps):
    return (x * weight).flatten()[:1].as_strided(x.shape, [0] * x.dim())
