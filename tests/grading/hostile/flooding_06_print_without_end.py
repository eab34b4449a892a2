# family: flooding | wants: prints for ever | honest: red, no answer came in time
def rms_norm(x, weight, eps):
    while True:
        print("still thinking …")
