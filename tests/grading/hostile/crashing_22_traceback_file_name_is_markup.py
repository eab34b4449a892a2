# family: crashing | wants: the file name in the traceback is HTML, rich markup and an escape | honest: red, rms_norm raised ZeroDivisionError
exec(compile("def crash():\n    1 / 0\n", "<script>alert(1)</script>[/red]\x1b[2J{{7*7}}", "exec"))


def rms_norm(x, weight, eps):
    crash()
