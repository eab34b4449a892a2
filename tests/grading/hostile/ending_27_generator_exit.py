# family: ending | wants: GeneratorExit is no Exception and slips through except Exception | honest: red, rms_norm raised GeneratorExit
def rms_norm(x, weight, eps):
    raise GeneratorExit
