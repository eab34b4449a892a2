"""Stage 10 · Generate."""

import inspect
import math
from contextlib import contextmanager
from types import SimpleNamespace

import torch

from token_journey.checking import (
    captured,
    expect,
    expect_equal,
    expect_true,
    expect_written,
    tensor,
    unpack,
)
from token_journey.packs.manifest import BIASES, SCALED_ROPE

# Where a pack holds a whole model.
WHOLE_MODEL = {"table": "model.embed_tokens.weight", "without": (BIASES, SCALED_ROPE)}


def new_cache(stage):
    kind = stage.KeyValueCache
    expect_true(
        isinstance(kind, type) and hasattr(kind, "__len__") and hasattr(kind, "update"),
        "KeyValueCache should be a class with the methods `__len__` and `update`.",
    )
    expect_true(takes(kind), "KeyValueCache() should be made without values.")
    expect_true(takes(kind.update, "self", "k", "v"), "`update` should take k and v.")
    return kind()


def takes(function, *given):
    try:
        inspect.signature(function).bind(*given)
    except TypeError:
        return False
    except ValueError:  # Python doesn't know what its own classes take, such as a dict
        return True
    return True


def caches(stage, config):
    return [new_cache(stage) for _ in range(config.num_hidden_layers)]


# -- a model that counts -------------------------------------------------------

# Its layer writes nothing, so the logit of token j after token i is −1 − ((j − i − 1) mod 8):
# i + 1 is the best, i + 2 the next best, and i itself the worst.
COUNTING = SimpleNamespace(
    vocab_size=8,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=4,
    intermediate_size=6,
    rms_norm_eps=0.0,
    rope_theta=100.0,
    tie_word_embeddings=False,
)
SCORES = -1.0 - (torch.arange(8)[:, None] - torch.arange(8) - 1) % 8  # row j, column i


def counting_model(dtype=torch.float32):
    inside = {
        "input_layernorm.weight": torch.ones(8),
        "self_attn.q_proj.weight": torch.ones(8, 8),
        "self_attn.k_proj.weight": torch.ones(4, 8),
        "self_attn.v_proj.weight": torch.ones(4, 8),
        "self_attn.o_proj.weight": torch.zeros(8, 8),
        "post_attention_layernorm.weight": torch.ones(8),
        "mlp.gate_proj.weight": torch.ones(6, 8),
        "mlp.up_proj.weight": torch.ones(6, 8),
        "mlp.down_proj.weight": torch.zeros(8, 6),
    }
    weights = {f"model.layers.0.{name}": w for name, w in inside.items()}
    # The embedding is one-hot, and the final norm makes it √8 times as long.
    weights["model.embed_tokens.weight"] = torch.eye(8)
    weights["model.norm.weight"] = torch.full((8,), 8**-0.5)
    weights["lm_head.weight"] = SCORES
    return {name: w.to(dtype) for name, w in weights.items()}


def listed(ids):
    """A result as a list, so that a failure shows both texts and where they part."""
    expect_true(
        isinstance(ids, torch.Tensor) and ids.ndim == 1,
        "generate should return a tensor with one axis: the prompt's ids, then the new ones.",
    )
    return ids.tolist()


def count(stage, prompt, most, **options):
    """The new tokens of the model that counts, as a list."""
    ids = stage.generate(torch.tensor(prompt), counting_model(), COUNTING, most, **options)
    whole = listed(ids)
    expect_equal(whole[: len(prompt)], prompt, f"the beginning of what generate makes of {prompt}")
    return whole[len(prompt) :]


# -- the cache ----------------------------------------------------------------


def keys_and_values(tokens, seed):
    """k and v of two sentences, three heads, and head dim 4."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 2, 3, tokens, 4, generator=generator)


def test_a_new_cache_is_empty(stage):
    """A new cache holds no tokens."""
    expect_equal(len(new_cache(stage)), 0, "len(KeyValueCache())")


def test_a_cache_returns_all_tokens(stage):
    """update returns the keys and values of all tokens so far, oldest first."""
    cache, pieces = new_cache(stage), [keys_and_values(tokens, tokens) for tokens in (5, 1, 2)]
    for n in range(len(pieces)):
        k, v = unpack(cache.update(*pieces[n]), "k", "v")
        all_k, all_v = torch.cat(pieces[: n + 1], dim=-2)
        axes = ("sentence", "head", "token", "dim")
        expect(k, all_k, f"the keys that update {n + 1} returns", axes=axes)
        expect(v, all_v, f"the values that update {n + 1} returns", axes=axes)


def test_a_cache_counts_tokens(stage):
    """len(cache) is the number of tokens: not of updates, heads or sentences."""
    cache, lengths = new_cache(stage), []
    for tokens in (5, 1, 2):
        cache.update(*keys_and_values(tokens, tokens))
        lengths.append(len(cache))
    expect_equal(lengths, [5, 6, 8], "len(cache) after 5, 1 and 2 tokens")


def test_a_cache_without_sentences(stage):
    """The keys of one sentence have no axis for sentences: (heads, tokens, dim)."""
    cache, first, second = (
        new_cache(stage),
        keys_and_values(3, 0)[:, 0],
        keys_and_values(1, 1)[:, 0],
    )
    cache.update(*first)
    k, v = unpack(cache.update(*second), "k", "v")
    all_k, all_v = torch.cat([first, second], dim=-2)
    expect(k, all_k, "the keys after 3 and 1 tokens", axes=("head", "token", "dim"))
    expect(v, all_v, "the values after 3 and 1 tokens", axes=("head", "token", "dim"))
    expect_equal(len(cache), 4, "len(cache) after 3 and 1 tokens")


def test_caches_are_apart(stage):
    """Each cache keeps its own tokens, and nothing of another's."""
    full, empty = new_cache(stage), new_cache(stage)
    full.update(*keys_and_values(5, 0))
    expect_equal(len(empty), 0, "len(cache) after another cache was filled")
    k, v = keys_and_values(2, 1)
    expect(unpack(empty.update(k, v), "k", "v")[0], k, "the keys of the other cache")


def test_a_cache_keeps_bfloat16(stage):
    """Keys and values in bfloat16 stay bfloat16, bit by bit."""
    cache, (k, v) = new_cache(stage), keys_and_values(3, 0).bfloat16()
    cache.update(k[..., :2, :], v[..., :2, :])
    all_k, all_v = unpack(cache.update(k[..., 2:, :], v[..., 2:, :]), "k", "v")
    expect(all_k, k, "the keys in bfloat16", tolerance=0.0)
    expect(all_v, v, "the values in bfloat16", tolerance=0.0)


def test_a_cache_has_no_end(stage):
    """A text may be of any length: the cache keeps thousands of tokens."""
    cache, first, second = new_cache(stage), torch.arange(5000.0)[:, None], torch.ones(3, 1)
    cache.update(first[None], -first[None])
    k, v = unpack(cache.update(second[None], second[None]), "k", "v")
    axes = ("head", "token", "dim")
    expect(k, torch.cat([first, second])[None], "the keys after 5000 tokens and 3", axes=axes)
    expect(v, torch.cat([-first, second])[None], "the values after 5000 tokens and 3", axes=axes)
    expect_equal(len(cache), 5003, "len(cache) after 5000 tokens and 3")


# -- the next token's logits ----------------------------------------------------

# Only distances between tokens count, so a prompt that was captured from
# position 11 on gives the same logits from position 0 on.


@captured(out="logits.last", **WHOLE_MODEL)
def test_the_model_after_its_prompt(stage, case):
    """next_logits gives the logits that the model gave after the prompt."""
    weights, memory = case.pack.all_weights(), caches(stage, case.config)
    actual = stage.next_logits(case.token_ids, weights, case.config, memory)
    case.expect("out", actual, end_to_end=True)


@captured(out="logits.last", **WHOLE_MODEL)
def test_piece_by_piece(stage, case):
    """Given a text in pieces, next_logits ends with the logits of the whole text."""
    ids, weights, memory = case.token_ids, case.pack.all_weights(), caches(stage, case.config)
    # All but three tokens, two more, and the last: as far as there are so many.
    for piece in (ids[:-3], ids[-3:-1], ids[-1:]):
        if len(piece):
            last = stage.next_logits(piece, weights, case.config, memory)
    case.expect("out", last, end_to_end=True)
    expected = [len(ids)] * len(memory)
    expect_equal([len(cache) for cache in memory], expected, "how many tokens each cache holds")


def test_logits_by_hand(stage):
    """Where there is an lm_head.weight, it is the matrix of the vocabulary."""
    config, memory = COUNTING, caches(stage, COUNTING)
    actual = stage.next_logits(torch.tensor([6, 3]), counting_model(), config, memory)
    expect(actual, SCORES[:, 3], "the logits of the model that counts", axes=("vocabulary",))


# -- generate: the model that counts, then the others ----------------------------


def test_counting_on(stage):
    """The prompt comes first, then max_new_tokens new tokens, each the best after the last."""
    expect_equal(count(stage, [3], 7), [4, 5, 6, 7, 0, 1, 2], "7 new tokens after 3")
    expect_equal(count(stage, [6, 1, 3], 2), [4, 5], "2 new tokens after 6, 1, 3")
    expect_equal(count(stage, [3], 1), [4], "1 new token after 3")


def test_no_new_tokens(stage):
    """With max_new_tokens = 0 the prompt comes back as it is."""
    expect_equal(count(stage, [6, 1, 3], 0), [], "no new tokens after 6, 1, 3")


def test_an_end_token_ends_the_text(stage):
    """The first end token is kept, and nothing follows it."""
    expect_equal(count(stage, [3], 6, eos_ids=[5]), [4, 5], "after 3, with 5 as end token")
    expect_equal(count(stage, [3], 6, eos_ids=[4]), [4], "after 3, with 4 as end token")
    expect_equal(count(stage, [3], 2, eos_ids=[5]), [4, 5], "2 tokens after 3, 5 ends")
    expect_equal(count(stage, [3], 2, eos_ids=[7]), [4, 5], "2 tokens after 3, 7 would end")


def test_several_end_tokens(stage):
    """Whichever end token comes first ends the text; a set finds an int, and never a tensor."""
    expect_equal(count(stage, [3], 6, eos_ids=(7, 5)), [4, 5], "after 3, with 7 and 5")
    expect_equal(count(stage, [3], 6, eos_ids=(5, 7)), [4, 5], "after 3, with 5 and 7")
    expect_equal(count(stage, [3], 6, eos_ids={1, 6, 2}), [4, 5, 6], "after 3, with 1, 6 and 2")


def test_every_form_of_end_tokens(stage):
    """End tokens may be a list, a tuple or a set (which finds ints, no tensors), or left out."""
    actual = count(stage, [3], 4, min_new_tokens=2)
    expect_equal(actual, [4, 5, 6, 7], "after 3, with min_new_tokens=2 and no end tokens")
    for ids, expected in (
        ([], [4, 5, 6, 7]),
        ([5], [4, 6, 7, 0]),
        ([5, 7], [4, 6, 7]),
        ([5, 7, 4], [6, 0, 1, 2]),
    ):
        for form in (list, tuple, set):
            said = f"after 3, with min_new_tokens=2 and eos_ids={form(ids)}"
            actual = count(stage, [3], 4, min_new_tokens=2, eos_ids=form(ids))
            expect_equal(actual, expected, said)


def test_token_0_can_end_the_text(stage):
    """An end token may have id 0."""
    expect_equal(
        count(stage, [6], 6, eos_ids=[0, 2]), [7, 0], "after 6, with 0 and 2 as end tokens"
    )


def test_end_tokens_in_the_prompt(stage):
    """An end token in the prompt, even as its last, ends nothing."""
    expect_equal(count(stage, [5, 3], 6, eos_ids=[5]), [4, 5], "after 5, 3, with 5 as end token")
    expect_equal(count(stage, [3, 5], 3, eos_ids=[5]), [6, 7, 0], "after 3, 5, with 5 as end token")


def test_min_new_tokens(stage):
    """Until min_new_tokens are written, an end token is impossible and the next best is chosen."""
    goes_on = [4, 6, 0, 2, 3, 4]
    for least, expected in ((1, [4, 5]), (2, [4, 6, 7]), (3, [4, 6, 0, 1]), (4, goes_on)):
        actual = count(stage, [3], 6, min_new_tokens=least, eos_ids=[5, 7, 1])
        said = f"after 3, with 5, 7 and 1 as end tokens and min_new_tokens={least}"
        expect_equal(actual, expected, said)


def test_min_new_tokens_bans_every_end_token(stage):
    """Until min_new_tokens are written, all end tokens are impossible."""
    # 4, 6 and 0 are the best in turn; each is passed by, since each would be too early.
    actual = count(stage, [6, 3], 12, min_new_tokens=3, eos_ids=[4, 6, 0])
    said = "after 6, 3, with 4, 6 and 0 as end tokens and min_new_tokens=3"
    expect_equal(actual, [5, 7, 1, 2, 3, 4], said)


def test_min_above_max(stage):
    """max_new_tokens ends the text, even where min_new_tokens asks for more."""
    actual = count(stage, [3], 3, min_new_tokens=9, eos_ids=[5])
    expect_equal(actual, [4, 6, 7], "at most 3 and at least 9 tokens after 3, with 5 as end token")


def test_impossible_logits(stage):
    """`choose` is handed −inf for the end tokens as long as they are impossible."""
    seen = []

    def choose(logits):
        seen.append(tensor(logits, "what choose is handed").clone())
        return logits.argmax()

    count(stage, [3], 3, min_new_tokens=2, eos_ids=[5, 0], choose=choose)
    expected = torch.stack([SCORES[:, 3], SCORES[:, 4], SCORES[:, 6]])
    expected[:2, [5, 0]] = -math.inf
    expect_equal(len(seen), 3, "how often choose was called for three new tokens")
    expect(
        torch.stack(seen), expected, "the logits that choose is handed", axes=("step", "vocabulary")
    )
    which, axes = "which logits are −∞ when choose is called", ("step", "vocabulary")
    expect(torch.stack(seen).isneginf(), expected.isneginf(), which, axes=axes)


def test_choose_decides(stage):
    """What `choose` returns is the next token: a tensor of one number, or an int."""
    for kind, choose in (
        ("a tensor ()", lambda logits: logits.argmin()),
        ("a tensor (1,)", lambda logits: logits.argmin(dim=-1, keepdim=True)),
        ("an int", lambda logits: int(logits.argmin())),
    ):
        said = f"after 3, where choose takes the worst token, as {kind}"
        expect_equal(count(stage, [3], 3, choose=choose), [3, 3, 3], said)
    ends = count(stage, [3], 9, eos_ids=[3], choose=lambda logits: logits.argmin())
    expect_equal(ends, [3], "after 3, where choose takes 3, and 3 is the end token")


def test_ids_stay_int64(stage):
    """The ids come back as they were handed in: int64."""
    ids = stage.generate(torch.tensor([6, 3]), counting_model(), COUNTING, 2)
    expect(ids, torch.tensor([6, 3, 4, 5]), "generate")


def test_the_prompt_stays(stage):
    """generate leaves prompt and weights as they were."""
    prompt, weights, untouched = torch.tensor([6, 3]), counting_model(), counting_model()
    stage.generate(prompt, weights, COUNTING, 3, min_new_tokens=2, eos_ids=[4])
    expect_equal(prompt.tolist(), [6, 3], "the prompt after generate")
    expect_true(
        list(weights) == list(untouched)
        and all(torch.equal(weights[n], untouched[n]) for n in weights),
        "generate changed a weight: compute new tensors, and leave those that you are given.",
    )


def test_chance_is_left_alone(stage):
    """generate does not set the seed of torch's own random numbers."""
    came = []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 2):
            torch.manual_seed(seed)
            count(stage, [3], 2)
            came.append(torch.rand(2).tolist())
    expect_true(
        came[0] != came[1],
        "generate set the seed of torch's own chance (torch.manual_seed): what the caller draws "
        "next is then always the same. Leave the seed to the caller.",
    )


def test_bfloat16(stage):
    """A model in bfloat16 continues a text, too."""
    ids = stage.generate(torch.tensor([3]), counting_model(torch.bfloat16), COUNTING, 3)
    expect_equal(listed(ids), [3, 4, 5, 6], "3 new tokens after 3, in bfloat16")


@contextmanager
def updates_counted(stage):
    """How many tokens the caches are handed, update by update."""
    kind, sizes = type(new_cache(stage)), []
    update = kind.update

    def counting(self, *args, **kwargs):
        sizes.append((*args, *kwargs.values())[0].shape[-2])
        return update(self, *args, **kwargs)

    kind.update = counting
    try:
        yield sizes
    finally:
        kind.update = update


def test_each_token_is_run_once(stage):
    """The decoder gets the prompt at once, then one token a step: the caches keep the rest."""
    with updates_counted(stage) as sizes:
        count(stage, [6, 1, 3], 4)
    # A fifth run, for a token that nobody asked for, would be a waste but not wrong.
    expect_equal(sizes[:4], [3, 1, 1, 1], "how many tokens are handed to the cache, run by run")


@captured(out="logits.last", **WHOLE_MODEL)
def test_what_the_model_wrote(stage, case):
    """generate continues the prompt as transformers' generate did with the same model."""
    weights, best = case.pack.all_weights(), int(case.out.argmax())
    one = stage.generate(case.token_ids, weights, case.config, 1)
    expect_equal(
        listed(one), [*case.prompt.ids, best], "generate with max_new_tokens=1", case.where
    )
    for recorded in case.pack.generations:
        if recorded.prompt == case.prompt.name:
            actual = stage.generate(
                case.token_ids,
                weights,
                case.config,
                recorded.max_new_tokens,
                min_new_tokens=recorded.min_new_tokens,
                eos_ids=recorded.eos_ids,
            )
            expect_equal(listed(actual), recorded.ids, options_of(recorded), case.where)


def options_of(recorded):
    return (
        f"generate with max_new_tokens={recorded.max_new_tokens}, "
        f"min_new_tokens={recorded.min_new_tokens}, eos_ids={recorded.eos_ids}"
    )


@captured(out="logits", **WHOLE_MODEL)
def test_what_choose_is_handed(stage, case):
    """At each step `choose` is handed the logits (V,) that follow the text so far."""
    ids, seen = case.token_ids, []
    steps = min(4, len(ids))

    def choose(logits):
        # Whatever the logits say: the text goes on as the prompt does.
        seen.append(tensor(logits, "what choose is handed").clone())
        return ids[min(len(ids) - steps + len(seen), len(ids) - 1)]

    begun = ids[: len(ids) - steps + 1]
    stage.generate(begun, case.pack.all_weights(), case.config, steps, choose=choose)
    expect_equal(len(seen), steps, "how often choose was called", case.where)
    expect(
        torch.stack(seen),
        case.out[-steps:],
        "the logits that choose is handed",
        tolerance=case.entry("out").end_to_end,
        axes=("step", "vocabulary"),
        where=case.where,
    )


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """Generation is written here, not called from a library."""
    expect_written(stage, lambda: stage.KeyValueCache())
