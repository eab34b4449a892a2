# family: odd | wants: rms_norm is None | honest: red, rms_norm is not a function
rms_norm = None
