"""What is said of an error that ended a learner's function, in this process and in a player."""

import sys

import pytest
from graded import grade

MODES = [
    (),
    pytest.param(
        ("--isolated",),
        marks=pytest.mark.skipif(sys.platform != "linux", reason="players need Linux"),
    ),
]

TOKENIZE = """
def merge(symbols, ranks):
    return list(symbols)


def encode(words, vocab, ranks, bos_id=None):
    return [{looked_up} for word in words for piece in merge(word, ranks) for byte in piece]


def decode(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids).decode()
"""
SWIGLU = """
def silu(x):
    return x / (1 + (-x).exp())


def swiglu(x, w_gate, w_up, w_down):
    {body}
"""
FORGOTTEN = """
def gated(x, w_gate):
    silu(x @ w_gate.mT)


def silu(x):
    return x / (1 + (-x).exp())


def swiglu(x, w_gate, w_up, w_down):
    return (gated(x, w_gate) * (x @ w_up.mT)) @ w_down.mT
"""


@pytest.fixture
def told(tmp_path):
    def told(stage, source, check, *options):
        """All that is said where one check fails, in one line."""
        (tmp_path / f"{stage}.py").write_text(source, encoding="utf-8")
        graded = grade(tmp_path / f"{stage}.py", options=("-k", check, *options))
        assert graded.messages, graded.output
        return " ".join(graded.messages[0].split())

    return told


@pytest.mark.parametrize("mode", MODES)
def test_shapes_are_named_as_in_the_lesson(mode, told):
    said = told("s06_swiglu", SWIGLU.format(body="return x @ w_gate"), "more_neurons", *mode)
    assert "at s06_swiglu.py:7, in swiglu: mat1 and mat2 shapes cannot be multiplied" in said
    assert "That means: A product of matrices" in said and "transposed (`.mT`), fits." in said
    assert "`swiglu` was called with x (…, D) = (" in said and "w_down (D, F) = (" in said


@pytest.mark.parametrize("mode", MODES)
def test_a_byte_where_bytes_are_keys(mode, told):
    said = told("s01_tokenize", TOKENIZE.format(looked_up="vocab[byte]"), "test_id_0", *mode)
    assert "at s01_tokenize.py:7, in encode: " in said
    assert "is of type int, but the keys of `vocab` are of type bytes" in said
    assert "`bytes([number])` makes `bytes` of one." in said


@pytest.mark.parametrize("mode", MODES)
def test_a_str_where_bytes_are_keys(mode, told):
    looked_up = "vocab[piece.decode()]"
    said = told("s01_tokenize", TOKENIZE.format(looked_up=looked_up), "test_id_0", *mode)
    assert "The key 'oo' is of type str, but the keys of `vocab` are of type bytes" in said or (
        "The key 'o' is of type str, but the keys of `vocab` are of type bytes" in said
    )
    assert "bytes([number])" not in said


@pytest.mark.parametrize("mode", MODES)
def test_a_name_that_is_spelled_otherwise(mode, told):
    source = 'def layer_weights(weights, layer):\n    return weights["{}"]\n'
    said = told("s07_decoder", source.format("model.layers.0"), "one_layer", *mode)
    assert "`weights` has no key 'model.layers.0'; it has 'model.layers." in said
    said = told("s07_decoder", source.format("?"), "one_layer", *mode)
    assert "has no key" not in said and "weights = a dict of " in said


def test_a_key_of_the_right_type_is_no_other_key(told):
    source = TOKENIZE.format(looked_up='vocab[b"no such piece"]')
    said = told("s01_tokenize", source, "test_id_0")
    assert "KeyError at s01_tokenize.py:7, in encode: b'no such piece'" in said
    assert "No dict that was given has the key b'no such piece'." in said
    assert "is of type" not in said


def test_a_key_that_another_function_looks_up_is_not_looked_for(told):
    source = "def look(d):\n    return d['model.layers.0']\n\n\n"
    source += "def layer_weights(weights, layer):\n    return look({})\n"
    assert "has no key" not in told("s07_decoder", source, "one_layer")


def test_a_key_of_a_dict_of_their_own_is_not_looked_for_elsewhere(told):
    source = TOKENIZE.format(looked_up="{}[b'o']")
    assert "No dict that was given" not in told("s01_tokenize", source, "test_id_0")


@pytest.mark.parametrize("mode", MODES)
def test_a_forgotten_return_in_between(mode, told):
    said = told("s06_swiglu", FORGOTTEN, "more_neurons", *mode)
    assert "One side of `*` is None. Does one of your functions lack its `return`" in said


@pytest.mark.parametrize("mode", MODES)
def test_their_own_error_is_not_explained(mode, told):
    source = SWIGLU.format(body='raise ValueError("what is this?")')
    said = told("s06_swiglu", source, "more_neurons", *mode)
    assert "ValueError at s06_swiglu.py:7, in swiglu: what is this?" in said
    assert "That means" not in said and "`swiglu` was called with x" in said


def test_the_kind_of_numbers_is_said_where_it_is_not_the_usual(told):
    body = "return x.no_such_name if x.element_size() == 2 else x"
    said = told("s06_swiglu", SWIGLU.format(body=body), "test_bfloat16")
    assert "x (…, D) = bfloat16 (" in said


def test_what_stands_in_the_line_is_said_where_it_is_known(told):
    source = SWIGLU.format(body="y = x.mT\n    return y @ (w_up if True else None)")
    said = told("s06_swiglu", source, "more_neurons")
    assert "In that line: y = (" in said and "; w_up = (" in said


@pytest.mark.skipif(sys.platform != "linux", reason="players need Linux")
def test_what_stands_in_a_line_of_a_player_is_not_said(told):
    source = SWIGLU.format(body="return x @ w_gate")
    assert "In that line" not in told("s06_swiglu", source, "more_neurons", "--isolated")


def test_one_story_for_all_prompts(tmp_path):
    file = tmp_path / "s05_attention.py"
    file.write_text(
        "import torch\n\n\n"
        "def causal_mask(n_queries, n_keys):\n"
        "    return torch.ones(n_queries, n_keys).tril(n_keys - n_queries)\n"
    )
    output = grade(file, options=("-k", "mask_of_the_model")).output
    assert output.count("is float32; it should be bool") == 1
    assert "1 failed" in output and "more failed" in output


@pytest.mark.parametrize(
    "odd",
    [
        "__dict__ = None",
        "_token_journey_called = _token_journey_asked = property(lambda self: 1 / 0)",
        "_token_journey_called, _token_journey_asked = 'nothing', 'of ours'",
        "args = property(lambda self: exit())",
    ],
)
def test_errors_of_odd_classes_are_told(odd, told):
    source = f"class Odd(KeyError):\n    {odd}\n\n\n" + SWIGLU.format(body="raise Odd('oh')")
    said = told("s06_swiglu", source, "more_neurons")
    assert "Odd at s06_swiglu.py:11, in swiglu" in said
