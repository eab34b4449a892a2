"""Wrong ways to write stage 5."""

# ruff: noqa: F821 - the functions of the stage file are theirs to see
import math

import torch
from einops import rearrange, repeat

from token_journey import misconception

CUT = "the drawing of how heads are split"
SHARED = "the drawing of which query heads share a key/value head"
MASK = "the drawing of the mask: rows are queries, columns are keys"
OBEYED = "what the mask does to the scores, before the softmax"
SCALE = "what the scores are divided by, and why"
SUM_TO_1 = "which numbers of the pattern sum to 1"
LINES = "the formula of the lesson, line by line: what is turned, and what goes in where"
WEIGHTS = "the shapes of the weights, (out, in), and what each maps x to"
CACHE = "what the cache is given, and what it gives back"


# -- split_heads --------------------------------------------------------------


@misconception(
    "split_heads",
    "heads are cut by a bare reshape",
    "the numbers are poured into the new shape in order, so each head gets whole tokens, not "
    "its part of every token",
    read=CUT,
)
def bare_reshape(x, n_heads):
    return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], -1)


@misconception(
    "split_heads",
    "a token's numbers are dealt out to the heads in turn",
    "head 0 gets numbers 0, H, 2H, … (d before H), where it should get the first d",
    read=CUT,
)
def dealt_out(x, n_heads):
    return rearrange(x, "... T (d H) -> ... H T d", H=n_heads)


@misconception(
    "split_heads",
    "the heads stay behind the tokens",
    "the result is (…, T, H, d): split, but not moved to the front",
    read="the shapes: where the heads stand",
)
def behind_the_tokens(x, n_heads):
    return rearrange(x, "... T (H d) -> ... T H d", H=n_heads)


# -- merge_heads --------------------------------------------------------------


@misconception(
    "merge_heads",
    "heads are merged by a bare reshape",
    "the heads are not moved behind the tokens first, so a row mixes several tokens of one head",
    read=CUT,
)
def bare_merge(x):
    return x.reshape(*x.shape[:-3], x.shape[-2], -1)


@misconception(
    "merge_heads",
    "the heads are merged number by number",
    "the first number of every head comes first (d before H), where head 0 should come first",
    read=CUT,
)
def dealt_back(x):
    return rearrange(x, "... H T d -> ... T (d H)")


# -- repeat_kv ----------------------------------------------------------------


@misconception(
    "repeat_kv",
    "all key/value heads are repeated in turn",
    "the heads come as 0, 1, 0, 1, … (repeat), where neighbours share one: 0, 0, 1, 1, …",
    read=SHARED,
)
def in_turn(x, n_groups):
    return repeat(x, "... K T d -> ... (G K) T d", G=n_groups)


@misconception(
    "repeat_kv",
    "each key/value head is repeated K times",
    "it is repeated as often as there are key/value heads, not as its group is large",
    read=SHARED,
)
def as_often_as_heads(x, n_groups):
    return x.repeat_interleave(x.shape[-3], dim=-3)


@misconception(
    "repeat_kv",
    "the heads are sought on axis 1",
    "that is their axis with exactly one batch axis; without one it is the axis of the tokens",
    read="the shapes: any number of leading axes",
)
def on_axis_1(x, n_groups):
    return x.repeat_interleave(n_groups, dim=1)


# -- causal_mask --------------------------------------------------------------


@misconception(
    "causal_mask",
    "True means forbidden",
    "the mask is True where it should be False and the other way round",
    read="what True stands for",
)
def true_is_forbidden(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries + 1)


@misconception(
    "causal_mask",
    "a token may not look at itself",
    "the diagonal is left out, so the first token has nothing to look at",
    read=MASK,
)
def not_itself(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries - 1)


@misconception(
    "causal_mask",
    "a token may look at the next one",
    "the diagonal is one place too far to the right, so what is to be guessed is seen",
    read=MASK,
)
def one_too_far(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries + 1)


@misconception(
    "causal_mask",
    "the mask is transposed",
    "a token may look at itself and at what follows, where it may look at what came before",
    read=MASK,
)
def transposed(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries)


@misconception(
    "causal_mask",
    "the first query stands at the first token",
    "the mask starts in the top left corner, but the queries are the last of the tokens",
    read=MASK,
)
def from_the_top_left(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril()


@misconception(
    "causal_mask",
    "the mask is shifted the wrong way",
    "earlier tokens move its diagonal to the left (Q − T where it should be T − Q), so queries "
    "are left that may look at nothing, and softmax makes NaN of a row that is masked as a whole",
    read=MASK,
)
def shifted_to_the_left(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_queries - n_keys)


@misconception(
    "causal_mask",
    "nothing is masked once there are earlier tokens",
    "that is right for one new token, but several at once must not look at each other's future",
    read=MASK,
)
def all_with_a_cache(n_queries, n_keys):
    mask = torch.ones(n_queries, n_keys, dtype=torch.bool)
    return mask.tril() if n_queries == n_keys else mask


@misconception(
    "causal_mask",
    "the mask is made of 0 and −∞",
    "such a mask is to be added to scores; here it is to be of dtype bool, True where allowed",
    read="what the mask returns",
)
def of_numbers(n_queries, n_keys):
    return torch.full((n_queries, n_keys), -math.inf).triu(n_keys - n_queries + 1)


@misconception(
    "causal_mask",
    "the mask is cut out of one for 1024 tokens",
    "a table of a fixed size is made once, and a longer text does not fit into it",
    read="the parameters of `causal_mask`: how long a text may be",
)
def cut_out_of_1024(n_queries, n_keys):
    whole = torch.ones(1024, 1024, dtype=torch.bool).tril()
    return whole[n_keys - n_queries : n_keys, :n_keys]


# -- attention_pattern --------------------------------------------------------


@misconception(
    "attention_pattern",
    "the scores are not divided by √d",
    "they are too large, and the softmax sees almost one key alone",
    read=SCALE,
)
def without_a_scale(q, k, mask):
    return (q @ k.mT).masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the scores are divided by d",
    "the root is missing (or √d is divided by twice), so the pattern is too flat",
    read=SCALE,
)
def without_the_root(q, k, mask):
    return (q @ k.mT / q.shape[-1]).masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the scores are multiplied by √d",
    "they are to be divided by it",
    read=SCALE,
)
def multiplied_by_the_root(q, k, mask):
    scores = q @ k.mT * math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the scores are divided by the root of all heads' numbers together",
    "H·d stands under the root, where the size d of one head should stand",
    read=SCALE,
)
def root_of_all_heads(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-3] * q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the scores are divided by the root of the number of heads",
    "H stands under the root, where the size d of a head should stand",
    read=SCALE,
)
def root_of_the_heads(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-3])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the scores are divided by the root of the number of keys",
    "T stands under the root, where the size d of a head should stand",
    read=SCALE,
)
def root_of_the_keys(q, k, mask):
    scores = q @ k.mT / math.sqrt(k.shape[-2])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the division by √d comes after the softmax",
    "probabilities are divided, not scores, so the rows sum to 1/√d",
    read=SCALE,
)
def scaled_too_late(q, k, mask):
    pattern = (q @ k.mT).masked_fill(~mask, -math.inf).softmax(dim=-1)
    return pattern / math.sqrt(q.shape[-1])


@misconception(
    "attention_pattern",
    "the mask is not used",
    "every query looks at every key, the future included",
    read=OBEYED,
)
def without_a_mask(q, k, mask):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the mask is read the other way round",
    "what is allowed is hidden and what is forbidden is seen",
    read="what True stands for",
)
def other_way_round(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "a causal mask is made in place of the one that is given",
    "the parameter `mask` goes unused",
    read="the parameters: any mask is obeyed",
)
def a_mask_of_its_own(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    own = causal_mask(q.shape[-2], k.shape[-2])
    return scores.masked_fill(~own, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the mask is added as 0 and 1",
    "a 1 is added to what is allowed, and the future keeps its score",
    read=OBEYED,
)
def added(q, k, mask):
    return (q @ k.mT / math.sqrt(q.shape[-1]) + mask).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the mask is multiplied by −∞",
    "0 · ∞ is NaN, so what is allowed becomes NaN, and softmax spreads it over the whole row",
    read=OBEYED,
)
def times_infinity(q, k, mask):
    return (q @ k.mT / math.sqrt(q.shape[-1]) + ~mask * -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "what is forbidden gets the score 0",
    "the scores are multiplied by the mask, or filled with 1e-9 where −1e9 was meant; e⁰ is 1",
    read=OBEYED,
)
def score_0(q, k, mask):
    return (q @ k.mT / math.sqrt(q.shape[-1]) * mask).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "what is forbidden gets a score that is not low enough",
    "it is filled with −100, but scores may be lower than that",
    read=OBEYED,
)
def not_low_enough(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -100.0).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "what is forbidden gets a low score instead of −∞",
    "−10 000 or −10⁹ is low, but allowed scores may be lower still, and then the future wins",
    read=OBEYED,
)
def low_but_not_impossible(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -1e9).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "the mask is applied after the softmax",
    "the future has taken its share by then, so the rows don't sum to 1",
    read=OBEYED,
)
def masked_too_late(q, k, mask):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1) * mask


@misconception(
    "attention_pattern",
    "the softmax runs along the queries",
    "each column sums to 1, where each row should",
    read=SUM_TO_1,
)
def along_the_queries(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-2)


@misconception(
    "attention_pattern",
    "the softmax runs along the heads",
    "the heads share one probability, where each head has its own rows",
    read=SUM_TO_1,
)
def along_the_heads(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=-3)


@misconception(
    "attention_pattern",
    "queries and keys are exchanged",
    "the scores are K Qᵀ: each key looks for queries",
    read="the order of Q and K in the formula",
)
def exchanged(q, k, mask):
    scores = k @ q.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


@misconception(
    "attention_pattern",
    "e^score is taken of the scores as they are",
    "a score of 89 is too much for e^x in float32; torch's softmax takes care of that",
    read="what the lesson says of softmax",
)
def overflowing(q, k, mask):
    powers = (q @ k.mT / math.sqrt(q.shape[-1])).exp() * mask
    return powers / powers.sum(dim=-1, keepdim=True)


@misconception(
    "attention_pattern",
    "the pattern stays in float32",
    "a softmax in float32 is a good idea, but its result is to go back to the dtype of q",
    read="the dtype of what is returned",
)
def stays_wide(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1, dtype=torch.float32)


# -- grouped_query_attention: what is turned ----------------------------------


@misconception(
    "grouped_query_attention",
    "the values are turned, too",
    "RoPE is for what is compared, queries and keys; values are handed over as they are",
    read=LINES,
)
def values_turned(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    counts = {"q": n_heads, "k": n_kv_heads, "v": n_kv_heads}
    q, k, v = (
        apply_rope(split_heads(x @ weights[f"self_attn.{p}_proj.weight"].mT, n), cos, sin)
        for p, n in counts.items()
    )
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "only the queries are turned",
    "the keys stay as they are, so a score depends on where the query stands, not how far it is",
    read=LINES,
)
def keys_not_turned(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q = apply_rope(q, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "RoPE is left out",
    "neither queries nor keys are turned, so no token knows where it stands",
    read=LINES,
)
def not_turned(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "queries and keys are turned twice",
    "every distance counts double",
    read=LINES,
)
def turned_twice(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = (apply_rope(apply_rope(heads, cos, sin), cos, sin) for heads in (q, k))
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "RoPE is applied before the heads are split",
    "the halves are then those of the whole vector, and pairs are made across heads",
    read=LINES,
)
def turned_before_the_split(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q = apply_rope(q, cos.repeat(1, n_heads), sin.repeat(1, n_heads))
    k = apply_rope(k, cos.repeat(1, n_kv_heads), sin.repeat(1, n_kv_heads))
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


# -- grouped_query_attention: which weight, which way -------------------------


@misconception(
    "grouped_query_attention",
    "the weights are used without being transposed",
    "x W takes the place of x Wᵀ; where a weight is square, its shape does not complain",
    read=WEIGHTS,
)
def not_transposed(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"] for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"]


@misconception(
    "grouped_query_attention",
    "the output projection is not transposed",
    "z W_o takes the place of z W_oᵀ; where it is square, its shape does not complain",
    read=WEIGHTS,
)
def output_not_transposed(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"]


@misconception(
    "grouped_query_attention",
    "the output projection is left out",
    "the heads are laid side by side and returned, without W_o",
    read=LINES,
)
def no_output_projection(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    return merge_heads(attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v)


@misconception(
    "grouped_query_attention",
    "the projections of keys and values are exchanged",
    "keys are made with W_v and values with W_k",
    read=WEIGHTS,
)
def keys_for_values(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, v, k = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the pattern weighs the keys",
    "z is pattern · k, where the values are to be handed over",
    read=LINES,
)
def keys_weighed(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k = repeat_kv(k, n_heads // n_kv_heads)
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ k
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the pattern is transposed before it weighs the values",
    "each token's value goes to the tokens that it looks at, not the other way round",
    read="rows and columns of the pattern: who looks, and at whom",
)
def pattern_transposed(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])).mT @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the size of a head is taken to be D / H",
    "√(D/H) divides the scores, but the heads together may have more or fewer numbers than x",
    read="what d is",
)
def hidden_by_heads(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    scores = q @ k.mT / math.sqrt(x.shape[-1] / n_heads)
    mask = causal_mask(q.shape[-2], k.shape[-2])
    z = scores.masked_fill(~mask, -math.inf).softmax(dim=-1) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the input is added to the result",
    "the residual stream is stage 7's business; attention returns only what is to be added",
    read="what is returned",
)
def residual_inside(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return x + merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


# -- grouped_query_attention: the cache ---------------------------------------


@misconception(
    "grouped_query_attention",
    "the cache is not used",
    "new tokens see only each other, and nothing of what came before",
    read=CACHE,
)
def cache_not_used(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "each text of a batch is handed to the cache by itself",
    "the second text comes to stand behind the first, as if it went on there",
    read=CACHE,
)
def text_by_text(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    if x.ndim > 2:
        heads = n_heads, n_kv_heads
        texts = [text_by_text(text, weights, cos, sin, *heads, cache) for text in x]
        return torch.stack(texts)
    q, k, v = (x @ weights[f"self_attn.{name}_proj.weight"].mT for name in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "what the cache gives back is thrown away",
    "the new keys and values are stored, but attention goes on with the new ones alone",
    read=CACHE,
)
def answer_thrown_away(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "an empty cache is taken for no cache",
    "`if cache:` asks for its length, which is 0 before the first token, so that is never stored",
    read=CACHE,
)
def empty_is_none(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache:
        k, v = cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the cache is given keys that are not turned yet",
    "all keys are turned when they come back, by the angles of the new tokens",
    read=CACHE,
)
def cached_before_turning(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    k, v = (k, v) if cache is None else cache.update(k, v)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "keys are turned again when they come from the cache",
    "they were turned before they were stored, and that is enough",
    read=CACHE,
)
def turned_again(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
        k = apply_rope(k, cos, sin)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the cache is given repeated heads",
    "H heads are stored where K would do, and saving memory is what sharing is for",
    read=CACHE,
)
def repeated_heads_cached(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    k, v = (k, v) if cache is None else cache.update(k, v)
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the new keys and values stand before the earlier ones",
    "the text is in the wrong order, and the mask hides the wrong tokens",
    read=CACHE,
)
def new_ones_first(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = (heads.roll(q.shape[-2], dims=-2) for heads in cache.update(k, v))
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the cache is given the values first",
    "`cache.update(v, k)` stores values as keys and keys as values",
    read=CACHE,
)
def values_first(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(v, k)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


# -- more of what people really write -------------------------------------------


@misconception(
    "split_heads",
    "the number of heads is taken for the size of a head",
    "each head is cut n_heads numbers long, so there are d heads of them",
    read=CUT,
)
def number_as_size(x, n_heads):
    return torch.stack(x.split(n_heads, dim=-1), dim=-3)


@misconception(
    "grouped_query_attention",
    "the values are made by k_proj",
    "the keys' weight is used for the values, too, and v_proj is not used",
    read=WEIGHTS,
)
def values_by_k_proj(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkk")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the keys are made by v_proj",
    "the values' weight is used for the keys, too, and k_proj is not used",
    read=WEIGHTS,
)
def keys_by_v_proj(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qvv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the input is normalised once more",
    "it comes normalised: the norm belongs to the layer of stage 7",
    read=LINES,
)
def normalised_again(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    x = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the number of key/value heads is taken for the size of a group",
    "H / K query heads share a key/value head, so it is repeated H / K times, not K times",
    read=SHARED,
)
def kv_heads_as_groups(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "qkv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "each head is cut D / H numbers long",
    "the size of a head is the number of rows of q_proj / H, which need not be D / H",
    read="what d is",
)
def cut_by_hidden_size(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    d = x.shape[-1] // n_heads

    def heads(name, count):
        y = x @ weights[f"self_attn.{name}_proj.weight"].mT
        return y.reshape(*x.shape[:-1], count, d).transpose(-3, -2)

    q, k, v = heads("q", n_heads), heads("k", n_kv_heads), heads("v", n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "W_q is used without being transposed",
    "each weight is (out, in) and maps x to x Wᵀ; the others are transposed, q_proj is not",
    read=WEIGHTS,
)
def query_weight_as_it_is(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = x @ weights["self_attn.q_proj.weight"]
    k, v = (x @ weights[f"self_attn.{p}_proj.weight"].mT for p in "kv")
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT


@misconception(
    "grouped_query_attention",
    "the weights are taken in the order in which they stand",
    "they are asked for by name: a mapping may have another order, and other weights beside",
    read=WEIGHTS,
)
def weights_in_order(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    w_q, w_k, w_v, w_o, *_ = weights.values()
    q, k = split_heads(x @ w_q.mT, n_heads), split_heads(x @ w_k.mT, n_kv_heads)
    v = split_heads(x @ w_v.mT, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = (repeat_kv(heads, n_heads // n_kv_heads) for heads in (k, v))
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ w_o.mT


@misconception(
    "attention_pattern",
    "one softmax runs over all queries and keys of a head",
    "the whole matrix sums to 1, where each row should: a softmax along the keys",
    read=SUM_TO_1,
)
def one_softmax_a_head(q, k, mask):
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -math.inf)
    return scores.flatten(-2).softmax(dim=-1).view(scores.shape)


@misconception(
    "attention_pattern",
    "50 is taken off the scores of what is forbidden",
    "that is not −∞: e⁻⁵⁰ is small, not 0, and an allowed score may be lower still",
    read=OBEYED,
)
def fifty_taken_off(q, k, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return (scores + torch.where(mask, 0.0, -50.0).to(q.dtype)).softmax(dim=-1)


@misconception(
    "repeat_kv",
    "each token is repeated, not each head",
    "the axis of the tokens, the second from the end, becomes longer; heads are the third",
    read=SHARED,
)
def tokens_repeated(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-2)


@misconception(
    "repeat_kv",
    "the heads are sought on axis 0",
    "that is their axis without a batch alone; with one the texts are repeated",
    read="the shapes: any number of leading axes",
)
def on_axis_0(x, n_groups):
    return x.repeat_interleave(n_groups, dim=0)
