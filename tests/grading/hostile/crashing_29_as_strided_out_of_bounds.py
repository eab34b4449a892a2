# family: crashing | wants: strides that leave the storage | honest: red, rms_norm raised RuntimeError
def rms_norm(x, weight, eps):
    return x.clone().as_strided_(x.shape, [10**9] * x.dim(), 10**12)
