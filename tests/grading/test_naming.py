"""Which mistakes are named, and which are not: a cause must explain all that the stage does."""

from dataclasses import replace

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.grading import collect
from token_journey.grading.run import Grader

COURSE = find_course()
HAND = ("-k", "by_hand")
LOOKS, MORE = "It looks as if", "Something else is wrong, too."
OUTSIDE = """
def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide / (eps + wide.pow(2).mean(-1, keepdim=True) ** 0.5)).to(x.dtype)
"""
# On one row of positive numbers the same as "the mean is squared, not the numbers".
MEAN_OF_ALL = """
def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide / (wide.mean() ** 2 + eps).sqrt()).to(x.dtype)
"""
TWO = """
def rms_norm(x, weight, eps):
    wide = x.float()
    return weight.float() * wide / (eps + wide.pow(2).mean(-1, keepdim=True) ** 0.5)
"""
BY_CHANCE = """
import os

def rms_norm(x, weight, eps):
    wide = x.float()
    root = (wide.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    return (weight * wide / (root * (1 + os.urandom(1)[0]))).to(x.dtype)
"""


@pytest.fixture
def write(tmp_path):
    def write(source, stage="s03_rms_norm", whole=True):
        file = tmp_path / f"{stage}.py"
        before = "" if whole else (COURSE.reference / file.name).read_text(encoding="utf-8")
        file.write_text(before + source, encoding="utf-8")
        return file

    return write


def told(graded):
    return [" ".join(message.split()) for message in graded.messages]


@pytest.mark.parametrize("selected", [HAND, ()])
def test_what_explains_all_is_named_whatever_is_selected(selected, write):
    graded = grade(write(OUTSIDE), options=selected)
    assert told(graded)[0].startswith(f"{LOOKS} eps is added outside the root")
    assert not any(MORE in message for message in told(graded))


def test_by_a_node_s_name(write):
    graded = grade(f"{write(OUTSIDE)}::test_by_hand")
    assert [report["check"] for report in graded.reports] == ["test_by_hand"]
    assert told(graded)[0].startswith(f"{LOOKS} eps is added outside the root")


@pytest.mark.parametrize("selected", [HAND, ()])
def test_what_one_check_fits_and_others_deny_is_not(selected, write):
    graded = grade(write(MEAN_OF_ALL), options=selected)
    assert graded.messages and not any("the mean is squared" in message for message in told(graded))


def test_two_mistakes_at_once(write):
    messages = told(grade(write(TWO)))
    named = [message for message in messages if message.startswith(LOOKS)]
    assert named[0].startswith(f"{LOOKS} eps is added outside the root") and MORE in named[0]
    mine = "eps is added outside the root", "the result stays float32"
    assert all(message.startswith(tuple(f"{LOOKS} {name}" for name in mine)) for message in named)


def test_what_was_not_selected_is_asked_and_not_reported(write):
    graded = grade(write(TWO), options=HAND)
    assert [report["check"] for report in graded.reports] == ["test_by_hand"]
    assert MORE in told(graded)[0]  # no selected check sees the dtype


def test_what_changes_when_it_is_repeated_says_nothing(write):
    messages = told(grade(write(BY_CHANCE), options=("-v",)))
    assert messages[0].startswith("The numbers differ when the same check is repeated")
    assert not any(LOOKS in message for message in messages)


def test_nothing_is_heard_of_what_is_asked_in_silence(write):
    source = OUTSIDE.replace("    wide", "    print('batch' * (x.dim() > 2))\n    wide", 1)
    assert "batch" not in grade(write(source), options=HAND).output


@pytest.mark.parametrize("source", [OUTSIDE, TWO, MEAN_OF_ALL])
def test_a_player_s_stage_is_told_the_same(source, write):
    file = write(source)
    at_home = told(grade(file, options=HAND))
    with Grader(isolated=True) as grader:
        verdicts = grader.grade(file, options=HAND).verdicts
    assert [" ".join(verdict.message.split()) for verdict in verdicts] == at_home


def test_a_check_that_the_reference_fails_is_no_mistake_of_theirs(write, tmp_path, monkeypatch):
    wrong = tmp_path / "reference"
    wrong.mkdir()
    (wrong / "s03_rms_norm.py").write_text(MEAN_OF_ALL)
    monkeypatch.setattr(collect, "find_course", lambda: replace(COURSE, reference=wrong))
    graded = grade(write(OUTSIDE), options=("-k", "by_hand or witness-mha"))
    assert graded.exit_code == 1
    for message in told(graded):
        at_fault = "the check" if "√7" in message else "the pack witness-mha"
        assert f"{at_fault} is wrong, not your code" in message and LOOKS not in message


# -- told untruly before, or not at all -------------------------------------------

REPEATED_TOKENS = """
def repeat_kv(x, n_groups):
    return torch.cat([x] * n_groups, dim=-2)
"""
CASES = {  # by stage: what is written at the file's end, what is told, what must not be
    "one random number for all rows": (
        "s09_softmax",
        """
def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(-1)
    logits = apply_temperature(logits, temperature)
    logits = keep_top_k(logits, top_k) if top_k else logits
    logits = keep_top_p(logits, top_p) if top_p else logits
    sums = softmax(logits.double()).cumsum(-1)
    u = torch.rand(1, generator=generator, dtype=torch.float64).item()
    return (sums <= u * sums[..., -1:]).sum(-1)
""",
        "one draw serves all rows",
        "the best token is always taken",
    ),
    "masked scores of −100": (
        "s05_attention",
        """
def attention_pattern(q, k, mask):
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    return torch.where(mask, scores, torch.full_like(scores, -100)).softmax(-1)
""",
        "what is forbidden gets a score that is not low enough",
        "the mask is not used",
    ),
    "F.normalize": (
        "s03_rms_norm",
        """
def rms_norm(x, weight, eps):
    wide = x.float()
    unit = torch.nn.functional.normalize(wide, dim=-1)
    return (math.sqrt(x.shape[-1]) * unit * weight).to(x.dtype)
""",
        "a floor",
        "divided by 0",
    ),
    "off by one after a filled cache": (
        "s07_decoder",
        """
def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    old = len(caches[0]) if caches is not None else 0
    first = old + 1 if old > 0 else 0
    where = torch.arange(first, first + x.shape[-2])
    cos, sin = rotary_tables(where, frequencies(config.head_dim, config.rope_theta))
    for n in range(config.num_hidden_layers):
        own = caches[n] if caches is not None else None
        x = decoder_layer(x, layer_weights(weights, n), cos, sin, config, own)
    return x
""",
        "off by one once a cache is filled",
        "counted from 1",
    ),
    "one end token of several blocked": (
        "s10_generate",
        """
_next = next_logits


def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or torch.argmax
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    text, new = prompt_ids.tolist(), prompt_ids.tolist()
    for n in range(max_new_tokens):
        logits = next_logits(torch.tensor(new), weights, config, caches)
        if eos_ids and n < min_new_tokens:
            logits[next(iter(eos_ids))] = -math.inf
        new = [int(choose(logits))]
        text += new
        if new[0] in eos_ids:
            break
    return torch.tensor(text)
""",
        "only the first of several end tokens is made impossible",
        "min_new_tokens counts the prompt",
    ),
    "keys and values repeated along the tokens": (
        "s05_attention",
        REPEATED_TOKENS,
        "",
        "axis 1",
    ),
    "the norm takes the stream's place": (
        "s07_decoder",
        """
def decoder_layer(x, layer, cos, sin, config, cache=None):
    heads = config.num_attention_heads, config.num_key_value_heads
    x = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    x = x + grouped_query_attention(x, layer, cos, sin, *heads, cache)
    x = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    return x + swiglu(x, *(layer[f"mlp.{n}_proj.weight"] for n in ("gate", "up", "down")))
""",
        "the normalised copy takes the place of the stream",
        "the norms come after the sums",
    ),
    "divided by D − 1": (
        "s03_rms_norm",
        """
def rms_norm(x, weight, eps):
    wide = x.float()
    mean = (wide * wide).sum(-1, keepdim=True).div(wide.shape[-1] - 1)
    return (weight * wide * torch.rsqrt(mean + eps)).to(x.dtype)
""",
        "divided by D − 1",
        "variance is",
    ),
    "d before h": (
        "s05_attention",
        """
def split_heads(x, n_heads):
    return x.unflatten(-1, (-1, n_heads)).movedim(-1, -3)
""",
        "dealt out to the heads in turn",
        "bare reshape",
    ),
    "v from k_proj": (
        "s05_attention",
        """
_right = grouped_query_attention


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    k = weights["self_attn.k_proj.weight"]
    weights = {**weights, "self_attn.v_proj.weight": k}
    return _right(x, weights, cos, sin, n_heads, n_kv_heads, cache)
""",
        "the values are made by k_proj",
        "exchanged",
    ),
    "an end token as the first": (
        "s10_generate",
        """
def generate(
    prompt_ids, weights, config, max_new_tokens, min_new_tokens=0, eos_ids=(), choose=None
):
    choose = choose or torch.argmax
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    out, unseen = list(prompt_ids), prompt_ids
    while len(out) < len(prompt_ids) + max_new_tokens:
        if len(out) > len(prompt_ids) + 1 and int(out[-1]) in eos_ids:
            break
        logits = next_logits(unseen, weights, config, caches)
        if len(out) - len(prompt_ids) < min_new_tokens:
            for end in eos_ids:
                logits[end] = -math.inf
        unseen = torch.as_tensor(choose(logits)).reshape(1)
        out.append(unseen[0])
    return torch.stack(out)
""",
        "an end token is missed as the very first one",
        "end tokens are ignored",
    ),
    "top-p's mask in sorted order": (
        "s09_softmax",
        """
def keep_top_p(logits, p):
    values, _ = logits.sort(-1)
    cut = softmax(values).cumsum(-1) <= 1 - p
    cut[..., -1] = False
    return torch.where(cut, -math.inf, logits)
""",
        "the cuts are not put back in their places",
        "the best token may be cut",
    ),
    "inverse CDF off by one": (
        "s09_softmax",
        """
def sample(logits, temperature=1.0, top_k=None, top_p=None, generator=None):
    if temperature == 0:
        return logits.argmax(-1)
    logits = apply_temperature(logits, temperature)
    logits = keep_top_k(logits, top_k) if top_k else logits
    logits = keep_top_p(logits, top_p) if top_p else logits
    sums = softmax(logits.double()).cumsum(-1)
    u = torch.rand(*sums.shape[:-1], 1, generator=generator, dtype=torch.float64)
    return torch.relu((sums <= u * sums[..., -1:]).sum(-1) - 1)
""",
        "the token before the right one is drawn",
        "the generator is not used",
    ),
    "passes from left to right": (
        "s01_tokenize",
        """
def merge(symbols, ranks):
    symbols, found = list(symbols), True
    while found:
        found, i = False, 0
        while i < len(symbols) - 1:
            if (symbols[i], symbols[i + 1]) in ranks:
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
                found = True
            i += 1
    return symbols
""",
        "merges are made in passes from left to right",
        "the first pair that has a rank is joined",
    ),
    "√(std + eps)": (
        "s03_rms_norm",
        """
def rms_norm(x, weight, eps):
    wide = x.float()
    deviation = (wide - wide.mean(-1, keepdim=True)).pow(2).mean(-1, keepdim=True).sqrt()
    return (weight * wide / torch.sqrt(deviation + eps)).to(x.dtype)
""",
        "the standard deviation and eps stand under the root",
        "the variance is taken for",
    ),
    "text by whole letters": (
        "s01_tokenize",
        """
def decode(ids, id_to_bytes):
    text, waiting = "", b""
    for i in ids:
        waiting += id_to_bytes[i]
        try:
            text, waiting = text + waiting.decode("utf-8"), b""
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                text, waiting = text + waiting.decode("utf-8", "replace"), b""
    return text
""",
        "an unfinished character at the end is left out",
        "bytes that are not UTF-8 vanish",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_people_really_write(case, write):
    stage, source, name, other = CASES[case]
    graded = grade(write(f"\n\nimport math\n\nimport torch\n{source}", stage, whole=False))
    messages = told(graded)
    assert name in messages[0]
    named = [message.partition(" Read again")[0] for message in messages if LOOKS in message]
    assert not any(other in message for message in named)
