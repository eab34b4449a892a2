# family: odd | wants: rms_norm is a number | honest: red, rms_norm is not a function
rms_norm = 3
