# family: odd | wants: nothing: only the first line | honest: red, there is no rms_norm in the file

