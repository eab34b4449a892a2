# family: odd | wants: an async function: the answer is a coroutine | honest: red, the answer is not a tensor
async def rms_norm(x, weight, eps):
    return x
