"""Wrong ways to write stage 9."""
# ruff: noqa: F821  (the stage's own functions)

import math

import torch

from token_journey import misconception

FORMULA = "the formula of softmax, and what makes it safe from overflow"
AXIS = "which axis of the logits sums to 1"
TEMPERATURE = "the formula of the temperature"
TOP_K = "what top-k keeps, what it cuts, and what cut means"
TOP_P = "the table of top-p: which token is the last one kept"
PLACES = "what the lesson says of the logits that are kept"
ORDER = "in which order `sample` does its steps"
CHANCE = "what `sample` says of chance, rows and the generator"


# -- softmax ------------------------------------------------------------------


@misconception(
    "softmax",
    "the maximum is not taken off",
    "e^x alone overflows for large x, and vanishes for very negative ones",
    read=FORMULA,
)
def without_the_maximum(logits, dim=-1):
    weights = logits.exp()
    return weights / weights.sum(dim=dim, keepdim=True)


@misconception(
    "softmax",
    "one maximum is taken off all rows",
    "a row far below the largest one vanishes, and 0/0 is not a number",
    read=FORMULA,
)
def one_maximum_for_all(logits, dim=-1):
    weights = (logits - logits.max()).exp()
    return weights / weights.sum(dim=dim, keepdim=True)


@misconception(
    "softmax",
    "the minimum is taken off, not the maximum",
    "all exponents are then positive, and large differences overflow",
    read=FORMULA,
)
def minimum_taken_off(logits, dim=-1):
    weights = (logits - logits.amin(dim=dim, keepdim=True)).exp()
    return weights / weights.sum(dim=dim, keepdim=True)


@misconception(
    "softmax",
    "large logits are cut to a size that does not overflow",
    "they all become the same, though their differences count",
    read=FORMULA,
)
def clamped(logits, dim=-1):
    weights = logits.clamp(-80, 80).exp()
    return weights / weights.sum(dim=dim, keepdim=True)


@misconception(
    "softmax",
    "the weights are divided by the largest, not by their sum",
    "the best gets 1, and the probabilities do not sum to 1",
    read=FORMULA,
)
def divided_by_the_largest(logits, dim=-1):
    return (logits - logits.amax(dim=dim, keepdim=True)).exp()


@misconception(
    "softmax",
    "the logits are divided by their sum",
    "without e^x a negative logit gives a negative share",
    read=FORMULA,
)
def without_exp(logits, dim=-1):
    return logits / logits.sum(dim=dim, keepdim=True)


@misconception(
    "softmax",
    "each logit goes through a sigmoid",
    "each number is then judged alone, and a row need not sum to 1",
    read=FORMULA,
)
def sigmoid(logits, dim=-1):
    return logits.sigmoid()


@misconception(
    "softmax",
    "the base is 2, not e",
    "2^x flattens the distribution",
    read=FORMULA,
)
def base_2(logits, dim=-1):
    weights = (logits - logits.amax(dim=dim, keepdim=True)).exp2()
    return weights / weights.sum(dim=dim, keepdim=True)


@misconception(
    "softmax",
    "the logarithms of the probabilities come out",
    "that is log_softmax, one logarithm too many",
    read=FORMULA,
)
def log_softmax(logits, dim=-1):
    return logits.log_softmax(dim)


@misconception(
    "softmax",
    "`dim` is ignored",
    "the softmax always runs along the last axis",
    read=AXIS,
)
def always_the_last_axis(logits, dim=-1):
    return logits.softmax(-1)


@misconception(
    "softmax",
    "the softmax runs along the first axis",
    "the numbers that sum to 1 belong to different rows",
    read=AXIS,
)
def first_axis(logits, dim=-1):
    return logits.softmax(0 if dim == -1 else dim)


@misconception(
    "softmax",
    "all numbers share one softmax",
    "the sum runs over the whole tensor, not along one axis",
    read=AXIS,
)
def over_everything(logits, dim=-1):
    weights = (logits - logits.max()).exp()
    return weights / weights.sum()


@misconception(
    "softmax",
    "float32 comes out, whatever went in",
    "the probabilities should have the dtype of the logits",
    read="which dtype `softmax` returns",
)
def in_float32(logits, dim=-1):
    return logits.float().softmax(dim)


@misconception(
    "softmax",
    "the sum is cut off from the gradient",
    "what stands below the line is detached, so raising one logit does not lower the others",
    read="what the lesson says of gradients",
)
def sum_detached(logits, dim=-1):
    weights = (logits - logits.amax(dim=dim, keepdim=True)).exp()
    return weights / weights.sum(dim=dim, keepdim=True).detach()


@misconception(
    "softmax",
    "the logarithm of the sum is taken off logits that are large",
    "it is rounded as coarsely as they are, so the probabilities do not sum to 1",
    read=FORMULA,
)
def log_of_the_sum(logits, dim=-1):
    return (logits - torch.logsumexp(logits, dim, keepdim=True)).exp()


# -- temperature --------------------------------------------------------------


@misconception(
    "apply_temperature",
    "the logits are multiplied by the temperature",
    "what should sharpen flattens",
    read=TEMPERATURE,
)
def multiplied(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return logits * temperature


@misconception(
    "apply_temperature",
    "the probabilities are divided, not the logits",
    "softmax is applied first; and probabilities come out where logits should",
    read=TEMPERATURE,
)
def after_softmax(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return softmax(logits) / temperature


@misconception(
    "apply_temperature",
    "the square of the temperature divides",
    "the temperature is applied twice",
    read=TEMPERATURE,
)
def twice(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return logits / temperature**2


@misconception(
    "apply_temperature",
    "any temperature is accepted",
    "0 divides by 0, and a negative one turns the order of the tokens round",
    read="which temperatures `apply_temperature` refuses",
)
def not_refused(logits, temperature):
    return logits / temperature if temperature else logits / torch.zeros(())


@misconception(
    "apply_temperature",
    "temperature 0 is replaced by a small one",
    "1e-5 stands in for what should be refused",
    read="which temperatures `apply_temperature` refuses",
)
def at_least_a_little(logits, temperature):
    if temperature < 0:
        raise ValueError("temperature must be above 0")
    return logits / max(temperature, 1e-5)


@misconception(
    "apply_temperature",
    "temperature 1 gives the very logits back",
    "there is nothing to divide, but a result that is changed later must not change the logits",
    read=TEMPERATURE,
)
def the_logits_themselves_at_1(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return logits if temperature == 1 else logits / temperature


@misconception(
    "apply_temperature",
    "a very low temperature is raised",
    "it is kept from 0 by a least value, which other temperatures fall below, too",
    read=TEMPERATURE,
)
def never_very_low(logits, temperature):
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return logits / max(temperature, 1e-4)


# -- top-k --------------------------------------------------------------------


@misconception(
    "keep_top_k",
    "exactly k tokens are kept, and ties are cut",
    "of tokens with the same logit some stay and some go",
    read=TOP_K,
)
def ties_cut(logits, k):
    best = logits.topk(min(k, logits.shape[-1]))
    return torch.full_like(logits, -math.inf).scatter(-1, best.indices, best.values)


@misconception(
    "keep_top_k",
    "one token too many is kept",
    "what is compared with is the best that should go",
    read=TOP_K,
)
def k_plus_1(logits, k):
    last = logits.topk(min(k + 1, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < last, -math.inf)


@misconception(
    "keep_top_k",
    "the k-th best is cut, too",
    "what equals the k-th best should stay",
    read=TOP_K,
)
def kth_cut(logits, k):
    if k >= logits.shape[-1]:
        return logits.clone()
    kth_best = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits <= kth_best, -math.inf)


@misconception(
    "keep_top_k",
    "the k worst are kept",
    "the order is from small to large",
    read=TOP_K,
)
def k_worst(logits, k):
    kth = logits.topk(min(k, logits.shape[-1]), largest=False).values[..., -1:]
    return logits.masked_fill(logits > kth, -math.inf)


@misconception(
    "keep_top_k",
    "cut tokens get the logit 0",
    "e^0 is 1, so they stay possible, and may even become the best",
    read=TOP_K,
)
def zeros(logits, k):
    kth_best = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth_best, 0.0)


@misconception(
    "keep_top_k",
    "only the logits that are kept come out",
    "they come sorted, and nothing tells which tokens they belong to",
    read=PLACES,
)
def only_the_kept(logits, k):
    return logits.topk(min(k, logits.shape[-1])).values


@misconception(
    "keep_top_k",
    "all rows are measured by one k-th best",
    "the threshold is the first row's",
    read=TOP_K,
)
def one_threshold(logits, k):
    n = logits.shape[-1]
    kth_best = logits.reshape(-1, n)[0].topk(min(k, n)).values[-1]
    return logits.masked_fill(logits < kth_best, -math.inf)


@misconception(
    "keep_top_k",
    "a k above the size of the vocabulary fails",
    "there are not so many tokens to pick",
    read=TOP_K,
)
def k_too_large(logits, k):
    kth_best = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits < kth_best, -math.inf)


@misconception(
    "keep_top_k",
    "the very logits come back where all are kept",
    "for a k of V or more nothing is cut, but the result should be a tensor of its own",
    read=TOP_K,
)
def the_logits_themselves_for_a_large_k(logits, k):
    if k >= logits.shape[-1]:
        return logits
    kth_best = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits < kth_best, -math.inf)


@misconception(
    "keep_top_k",
    "what top-k cuts gets a very low logit, not −∞",
    "−10 000 or −10⁹ is low, but the logits that are kept may be lower still",
    read=TOP_K,
)
def top_k_very_low(logits, k):
    kth_best = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth_best, -1e9)


# -- top-p --------------------------------------------------------------------


@misconception(
    "keep_top_p",
    "the token that crosses p is cut",
    "what is kept stays below p, and if the best alone is above p nothing is left",
    read=TOP_P,
)
def crossing_cut(logits, p):
    best_first, order = logits.sort(descending=True)
    cut = softmax(best_first).cumsum(dim=-1) > p
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "the token that crosses p is cut, unless it is the best",
    "what is kept stays below p",
    read=TOP_P,
)
def crossing_cut_but_the_best(logits, p):
    best_first, order = logits.sort(descending=True)
    cut = softmax(best_first).cumsum(dim=-1) > p
    cut[..., 0] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "top-p keeps one token too many",
    "the one after the token that crosses p stays as well",
    read=TOP_P,
)
def one_too_many(logits, p):
    best_first, order = logits.sort(descending=True)
    probs = softmax(best_first)
    reached = probs.cumsum(dim=-1) - probs >= p
    cut = reached.roll(1, -1)
    cut[..., 0] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "where p is reached exactly, one token more is kept",
    "the sum is compared with > where it should be ≥",
    read=TOP_P,
)
def strictly_above(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) < 1 - p
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "the best token may be cut",
    "for a small p everything is cut, and nothing is left to draw",
    read=TOP_P,
)
def best_not_kept(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "what ties with the last one kept stays",
    "the last logit that is kept serves as a threshold; top-k keeps ties, top-p the fewest",
    read=TOP_P,
)
def ties_kept(logits, p):
    best_first = logits.sort(descending=True).values
    probs = softmax(best_first)
    kept = probs.cumsum(dim=-1) - probs < p
    last = best_first.masked_fill(~kept, math.inf).amin(dim=-1, keepdim=True)
    return logits.masked_fill(logits < last, -math.inf)


@misconception(
    "keep_top_p",
    "the cuts are not put back in their places",
    "which tokens are cut is decided in sorted order and applied in the order of the vocabulary",
    read=PLACES,
)
def not_put_back(logits, p):
    worst_first = logits.sort().values
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    return logits.masked_fill(cut, -math.inf)


@misconception(
    "keep_top_p",
    "the cuts are put back by the wrong one of two orders",
    "`gather` with the order of sorting takes a cut from where it should be put to",
    read=PLACES,
)
def put_back_the_wrong_way(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order), -math.inf)


@misconception(
    "keep_top_p",
    "the logits come out sorted",
    "they are cut rightly and left in the order of sorting",
    read=PLACES,
)
def left_sorted(logits, p):
    best_first = logits.sort(descending=True).values
    probs = softmax(best_first)
    return best_first.masked_fill(probs.cumsum(dim=-1) - probs >= p, -math.inf)


@misconception(
    "keep_top_p",
    "probabilities come out, not logits",
    "and cut tokens have probability 0, which as a logit is not impossible",
    read=PLACES,
)
def probabilities(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    kept = logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)
    return softmax(kept)


@misconception(
    "keep_top_p",
    "top-p gives cut tokens the logit 0",
    "e^0 is 1, so they stay possible, and may even become the best",
    read=TOP_P,
)
def top_p_zeros(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), 0.0)


@misconception(
    "keep_top_p",
    "each token's own probability is compared with p",
    "it is the sum over the best tokens that has to reach p",
    read=TOP_P,
)
def each_alone(logits, p):
    probs = softmax(logits)
    kept = (probs >= p) | (probs == probs.amax(dim=-1, keepdim=True))
    return logits.masked_fill(~kept, -math.inf)


@misconception(
    "keep_top_p",
    "1 − p is measured by the best token",
    "tokens below a share of the best one's probability are cut; that is min-p, another method",
    read=TOP_P,
)
def min_p(logits, p):
    probs = softmax(logits)
    return logits.masked_fill(probs < (1 - p) * probs.amax(dim=-1, keepdim=True), -math.inf)


@misconception(
    "keep_top_p",
    "p and 1 − p are exchanged",
    "from the worst up, as much is cut as should be kept",
    read=TOP_P,
)
def exchanged(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= p
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "the sum starts with the worst token",
    "the tokens that reach p first from below are kept",
    read=TOP_P,
)
def worst_kept(logits, p):
    worst_first, order = logits.sort()
    probs = softmax(worst_first)
    cut = probs.cumsum(dim=-1) - probs >= p
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "logits are added up, not probabilities",
    "p is compared with a sum of logits",
    read=TOP_P,
)
def sums_of_logits(logits, p):
    best_first, order = logits.sort(descending=True)
    cut = best_first.cumsum(dim=-1) - best_first >= p
    cut[..., 0] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "the tokens are not sorted before they are added up",
    "the sum runs through the vocabulary as it stands",
    read=TOP_P,
)
def not_sorted(logits, p):
    probs = softmax(logits)
    return logits.masked_fill(probs.cumsum(dim=-1) - probs >= p, -math.inf)


@misconception(
    "keep_top_p",
    "the very logits come back for p = 1",
    "nothing is cut, but the result should be a tensor of its own",
    read=TOP_P,
)
def the_logits_themselves_for_p_1(logits, p):
    if p >= 1:
        return logits
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "what top-p cuts gets a very low logit, not −∞",
    "−10 000 or −10⁹ is low, but the logits that are kept may be lower still",
    read=TOP_P,
)
def top_p_very_low(logits, p):
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    return logits.masked_fill(cut.gather(-1, order.argsort()), -1e4)


# -- sample -------------------------------------------------------------------


@misconception(
    "sample",
    "top_k is 50 where none is asked for",
    "some libraries cut the tail unless they are told not to; here None keeps all",
    read="what `sample` says of top_k and top_p",
)
def top_k_of_50(logits, temperature=1.0, top_k=50, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    logits = keep_top_k(logits, top_k or 50)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "the best token is always taken",
    "nothing is left to chance, at any temperature",
    read=CHANCE,
)
def always_greedy(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature < 0:
        raise ValueError("temperature must be above 0")
    return logits.argmax(dim=-1)


@misconception(
    "sample",
    "temperature 0 counts as no temperature",
    "a test such as `if temperature:` is false for 0, and the token is drawn as at 1",
    read=ORDER,
)
def never_greedy(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature:
        logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "the worst token is taken at temperature 0",
    "the smallest logit is looked for, not the largest",
    read=ORDER,
)
def worst_token(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmin(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "the temperature only matters where it is 0",
    "it never reaches the logits",
    read=ORDER,
)
def temperature_ignored(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature < 0:
        raise ValueError("temperature must be above 0")
    if temperature == 0:
        return logits.argmax(dim=-1)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "`top_k` is not used",
    "nothing is cut for it",
    read=ORDER,
)
def top_k_ignored(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "`top_p` is not used",
    "nothing is cut for it",
    read=ORDER,
)
def top_p_ignored(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "`top_p` is not used where there is a `top_k`",
    "an `elif` takes one of the two, though both may cut",
    read=ORDER,
)
def one_filter(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    elif top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "top-p comes before top-k",
    "it counts with the probabilities of tokens that top-k is going to cut",
    read=ORDER,
)
def top_p_before_top_k(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "the temperature comes last",
    "it comes after top-p, which counts with probabilities not yet sharpened or flattened",
    read=ORDER,
)
def temperature_last(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    logits = apply_temperature(logits, temperature)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "top-k and top-p are given probabilities, not logits",
    "softmax comes first, and top-p takes a second one of its own",
    read=ORDER,
)
def filters_get_probabilities(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    probs = softmax(logits)
    if top_k is not None:
        probs = keep_top_k(probs, top_k).clamp(min=0)
    if top_p is not None:
        probs = keep_top_p(probs, top_p).clamp(min=0)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "softmax is taken twice",
    "the second one nearly levels the probabilities",
    read=ORDER,
)
def softmax_twice(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(softmax(logits)).masked_fill(logits.isneginf(), 0.0)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "all tokens that are left are equally likely",
    "one of them is picked without looking at its probability",
    read=CHANCE,
)
def no_chances(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = logits.isfinite().float()
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "tokens are drawn by their logits, without softmax",
    "the logits serve as weights, and negative ones as 0",
    read=CHANCE,
)
def logits_as_chances(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = logits.clamp(min=0) + 1e-9 * logits.isfinite()
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "the generator is not used",
    "the tokens come from torch's own, so the seed of the generator changes nothing",
    read=CHANCE,
)
def generator_ignored(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "torch's own generator is seeded anew in each call",
    "all draws of a program are then the same, and others who draw are disturbed",
    read=CHANCE,
)
def global_seed(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    torch.manual_seed(generator.initial_seed() if generator else 0)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "one draw serves all rows",
    "the same random number, or the same token, is given to every row",
    read=CHANCE,
)
def one_draw_for_all(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    chance = torch.rand((), generator=generator)
    reached = probs.float().cumsum(dim=-1) <= chance
    return reached.sum(dim=-1).clamp(max=probs.shape[-1] - 1)


@misconception(
    "sample",
    "an axis of length 1 is left over",
    "`multinomial` gives one column, and (…, 1) is not (…)",
    read=CHANCE,
)
def axis_kept(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape((*probs.shape[:-1], 1))


@misconception(
    "sample",
    "all axes of length 1 are squeezed away",
    "`squeeze()` takes off the column of `multinomial`, but the axis of a batch of one as well",
    read=CHANCE,
)
def squeezed(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape((*probs.shape[:-1], 1)).squeeze()


@misconception(
    "sample",
    "the Gumbel noise has the wrong sign",
    "log(−log u) is added where it should be taken off, so large tokens come too often",
    read=CHANCE,
)
def gumbel_turned_round(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    uniform = torch.rand(logits.shape, generator=generator).clamp(1e-30, 1 - 1e-7)
    return (logits + (-uniform.log()).log()).argmax(dim=-1)


# -- more of what people really write -------------------------------------------


@misconception(
    "softmax",
    "one sum is taken over all rows",
    "all numbers are added at once: the rows of a batch sum to 1 together, and not each",
    read=AXIS,
)
def one_sum_for_all(logits, dim=-1):
    weights = (logits - logits.amax(dim=dim, keepdim=True)).exp()
    return weights / weights.sum()


@misconception(
    "keep_top_p",
    "the best token is cut where a worse one is",
    "the marks are rolled round by one place, and the last one's comes to the front",
    read=TOP_P,
)
def marks_rolled(logits, p):
    probs, order = softmax(logits.double()).sort(dim=-1, descending=True)
    cut = (probs.cumsum(dim=-1) > p).roll(1, dims=-1) if p < 1 else probs == 0
    return logits.masked_fill(torch.zeros_like(cut).scatter(-1, order, cut), -math.inf)


@misconception(
    "keep_top_p",
    "the kept tokens come out as probabilities",
    "those that are kept should come out as their logits, as they were",
    read=PLACES,
)
def kept_as_probabilities(logits, p):
    probs = softmax(logits)
    worst_first, order = logits.sort()
    cut = softmax(worst_first).cumsum(dim=-1) <= 1 - p
    cut[..., -1] = False
    return probs.masked_fill(cut.gather(-1, order.argsort()), -math.inf)


@misconception(
    "keep_top_p",
    "each token's own probability is compared with 1 − p",
    "what all worse tokens have together with it must be compared: nothing is added up",
    read=TOP_P,
)
def each_alone_with_the_rest(logits, p):
    probs = softmax(logits.double())
    cut = (probs <= 1 - p) & (probs < probs.amax(dim=-1, keepdim=True))
    return logits.masked_fill(cut, -math.inf)


@misconception(
    "keep_top_p",
    "the running sum goes down the batch",
    "it runs along axis 0, from row to row, and not along the vocabulary of each row",
    read=AXIS,
)
def summed_down_the_batch(logits, p):
    values, order = logits.sort(dim=-1, descending=True)
    probs = softmax(values.double())
    before = probs.cumsum(dim=0 if logits.dim() > 1 else -1) - probs
    kept = (before < p) & (probs > 0)
    kept[..., 0] = True
    return logits.masked_fill(~torch.zeros_like(kept).scatter(-1, order, kept), -math.inf)


@misconception(
    "sample",
    "temperature 0 is not treated apart",
    "it reaches apply_temperature, which refuses it; at 0 the best token is taken, greedy",
    read=ORDER,
)
def zero_not_treated_apart(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])


@misconception(
    "sample",
    "the token before the right one is drawn",
    "the place in the running sum is off by one: the sums that were passed are counted one too few",
    read=CHANCE,
)
def one_too_early(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits.double())
    sums = probs.cumsum(dim=-1)
    chance = torch.rand(*probs.shape[:-1], 1, generator=generator, dtype=torch.float64)
    passed = torch.searchsorted(sums, chance * sums[..., -1:], right=True).squeeze(-1)
    return (passed - 1).clamp(min=0)


@misconception(
    "sample",
    "the place in the sorted order is returned as the id",
    "the tokens were sorted before one was drawn, and its rank is not looked up again",
    read=CHANCE,
)
def rank_for_id(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    probs = softmax(logits.sort(dim=-1, descending=True).values)
    drawn = torch.multinomial(probs.reshape(-1, probs.shape[-1]), 1, generator=generator)
    return drawn.reshape(probs.shape[:-1])
