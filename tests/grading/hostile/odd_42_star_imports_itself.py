# family: odd | wants: the file takes all names from itself before it has any | honest: red, there is no rms_norm yet when it is asked for, or the module is not found
from s03_rms_norm import rms_norm
