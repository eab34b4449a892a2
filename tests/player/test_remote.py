"""A stage in a player behaves for a check as one in this process does."""

from __future__ import annotations

import copy
import inspect
from types import SimpleNamespace

import pytest
import torch

from conftest import STAGE
from token_journey.course.course import find_course
from token_journey.course.implementation import CannotLoad, LoadsForEver
from token_journey.course.under_test import CheckFailure
from token_journey.packs.pack import Pack, find_packs

SAME = "def same(*values, **named):\n    return values[0] if values else named\n"
CACHE = """
class Cache:
    def __init__(self):
        self.kept = []

    def __len__(self):
        return len(self.kept)

    def update(self, k, v):
        self.kept.append(k)
        return k, v


def fill(cache, times):
    for _ in range(times):
        cache.update(1, 2)
    return cache


def make():
    return Cache()
"""


@pytest.mark.parametrize(
    "value",
    [
        *(True, 7, -(2**80), 1.5, float("inf"), "açò\n", b"\xff\0", (), [1, [2, (3,)]]),
        *({(b"a", b"b"): 1, "x": {"y": [None]}}, {1, 2}, frozenset({3}), range(3), 1j),
        *(torch.float16, torch.device("cpu")),
    ],
    ids=str,
)
def test_plain_values_come_back_as_they_went(stage, value):
    found = stage(SAME).same([value, value])
    assert found == [value, value]
    assert type(found[0]) is type(value)


@pytest.mark.parametrize(
    "dtype",
    [torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.complex64],
)
def test_tensors_come_back_in_any_dtype_and_storage(stage, dtype):
    wide = torch.arange(24).reshape(4, 6).to(dtype)
    for x in (wide, wide.mT, wide[1:, ::2], wide[0, 0], wide[:0], wide[:1].expand(3, 6)):
        found = stage(SAME).same([x])[0]
        assert found is x
        copied = stage("def copy(x):\n    return x.clone(), x.stride()\n").copy(x)
        assert torch.equal(copied[0], x) and copied[0].dtype == dtype
        assert copied[1] == x.stride()


def test_what_is_no_dense_tensor_is_described(stage):
    found = stage("import torch\ndef f(x):\n    return x.to_sparse(), x.to('meta')\n").f(
        torch.ones(2)
    )
    assert found[0].layout is torch.sparse_coo and found[1].is_meta
    kind = type(stage("import torch\ndef f():\n    return torch.nn.Parameter(torch.ones(2))\n").f())
    assert issubclass(kind, torch.Tensor) and kind.__name__ == "Parameter"


def test_which_objects_are_the_same_ones(stage):
    x, word = torch.ones(2), [1]
    found = stage("def f(x, w):\n    y = x + 1\n    return x, y, y, w, list(w)\n").f(x, word)
    assert found[0] is x and found[1] is found[2]
    assert found[3] is word and found[4] == word and found[4] is not word


def test_a_view_of_what_went_in_shares_its_memory(stage):
    x = torch.arange(6.0)
    view = stage("def f(x):\n    return x.view(2, 3)\n").f(x)
    assert view.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    other = stage("def f(x):\n    return x.clone()\n").f(x)
    assert other.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()


@pytest.mark.parametrize("change", ["x.mul_(2)", "x.data.mul_(2)", "x.numpy()[0] = 9"])
def test_an_input_that_was_changed_is_said_and_stays(stage, change):
    x = torch.ones(3)
    with pytest.raises(CheckFailure, match="`f` changed its input"):
        stage(f"def f(x):\n    {change}\n    return x + 1\n").f(x)
    assert torch.equal(x, torch.ones(3))


def test_a_list_that_was_changed_is_changed_here_until_the_check_is_over(stage):
    under_test, word = stage("def f(w):\n    w.append(3)\n    return 1\n"), [1]
    with under_test.trial(10):
        under_test.f(word)
        assert word == [1, 3]
    assert word == [1]


def test_one_tensor_returned_twice_shows_its_new_numbers(stage):
    under_test = stage(
        "import torch\nout = torch.zeros(2)\ndef f(x):\n    return torch.add(x, 1, out=out)\n"
    )
    first = under_test.f(torch.ones(2))
    assert first.tolist() == [2, 2]
    assert under_test.f(torch.zeros(2)) is first
    assert first.tolist() == [1, 1]


def test_a_tensor_changed_by_the_check_is_the_same_one_in_the_player(stage):
    under_test = stage("seen = []\ndef f(x):\n    seen.append(x)\n    return seen[0] is x, x + 0\n")
    x = torch.zeros(2)
    assert under_test.f(x)[1].tolist() == [0, 0]
    x[0] = 5
    same, value = under_test.f(x)
    assert same and value.tolist() == [5, 0]


def test_gradients_cross_from_call_to_call(stage):
    under_test = stage("def f(x, w):\n    return (x * w).sin()\n\ndef g(y):\n    return y ** 3\n")
    grads = []
    for f, g in (
        (under_test.f, under_test.g),
        (lambda x, w: (x * w).sin(), lambda y: y**3),
    ):
        x, w = torch.arange(3.0).requires_grad_(), torch.full((3,), 0.5).requires_grad_()
        y = f(x, w)
        (g(y).sum() + y[0]).backward()
        grads.append((x.grad, w.grad))
    assert all(torch.allclose(a, b) for a, b in zip(*grads, strict=True))


def test_a_detached_result_has_no_gradient(stage):
    x = torch.ones(2, requires_grad=True)
    assert not stage("def f(x):\n    return x.detach() * 2\n").f(x).requires_grad


def test_what_autograd_can_t_run_is_its_own_error(stage):
    x = torch.ones(2, requires_grad=True)
    y = stage("def f(x):\n    y = x.exp()\n    y.mul_(2)\n    return y\n").f(x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_chance_and_grad_mode_go_both_ways(stage):
    under_test = stage(
        "import torch\ndef draw(g=None):\n    return torch.rand(3, generator=g)\n"
        "def off():\n    torch.set_grad_enabled(False)\n    return 1\n"
        "def on():\n    return torch.is_grad_enabled()\n"
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        theirs = [under_test.draw(), torch.rand(2), under_test.draw()]
        torch.manual_seed(5)
        ours = [torch.rand(3), torch.rand(2), torch.rand(3)]
    assert all(torch.equal(a, b) for a, b in zip(theirs, ours, strict=True))
    mine, other = (torch.Generator().manual_seed(2) for _ in range(2))
    assert torch.equal(under_test.draw(mine), torch.rand(3, generator=other))
    assert torch.equal(mine.get_state(), other.get_state())
    with torch.no_grad():
        assert under_test.on() is False
    with torch.enable_grad():
        under_test.off()
        assert not torch.is_grad_enabled()


def test_iterators_configurations_and_callbacks_run_here(stage):
    under_test = stage(
        "def total(numbers):\n    return sum(numbers)\n"
        "def size(config):\n    return config.hidden, vars(config)\n"
        "def ask(choose):\n    return [choose(n) for n in (1, 2)]\n"
        "def caught(choose):\n    try:\n        choose(0)\n    except ZeroDivisionError as e:\n"
        "        return str(e)\n"
    )
    assert under_test.total(n for n in (1, 2, 3)) == 6
    assert under_test.size(SimpleNamespace(hidden=4)) == (4, {"hidden": 4})
    assert under_test.ask(lambda n: n * 10) == [10, 20]
    assert under_test.caught(lambda n: 1 / n) == "division by zero"
    with pytest.raises(ZeroDivisionError) as raised:
        under_test.ask(lambda n: 1 // (n - 1))
    assert raised.traceback[-1].name == "<lambda>"


def test_a_class_can_be_looked_at_made_and_patched(stage):
    under_test = stage(CACHE)
    kind = under_test.Cache
    assert isinstance(kind, type) and kind.__name__ == "Cache" and hasattr(kind, "update")
    inspect.signature(kind.update).bind("self", "k", "v")
    with pytest.raises(TypeError):
        inspect.signature(kind).bind(1)
    cache = kind()
    assert type(cache) is kind and len(cache) == 0 and cache.update(1, 2) == (1, 2)
    assert under_test.fill(cache, 2) is cache and len(cache) == 3
    update, seen = kind.update, []

    def noting(self, *given):
        seen.append(given)
        return update(self, *given)

    kind.update = noting
    under_test.fill(under_test.make(), 2)
    kind.update = update
    assert len(under_test.fill(cache, 1)) == 4 and seen == [(1, 2)] * 2


def test_exceptions_come_with_their_words_and_lines(hand_in):
    source = "def f(x):\n    return g(x)\n\ndef g(x):\n    raise KeyError('a')\n"
    source += "class Mine(ValueError):\n    pass\n\ndef h():\n    raise Mine('\\x1b[31mred')\n"
    implementation = hand_in(source)
    under_test = implementation.under_test(STAGE)
    with pytest.raises(KeyError) as raised:
        under_test.f(1)
    assert type(raised.value) is KeyError and raised.value.args == ("a",)
    frames = implementation.frames(raised.value)
    assert [(f.lineno, f.name) for f in frames] == [(2, "f"), (5, "g")]
    assert frames[-1].line == "raise KeyError('a')"
    with pytest.raises(ValueError) as mine:
        under_test.h()
    assert type(mine.value).__name__ == "Mine" and "\x1b" not in str(mine.value)


def test_other_parameters_and_missing_functions_are_said_as_at_the_desk(stage):
    under_test = stage("x = 3\ndef f(a, b=1):\n    return a\n\ndef none():\n    pass\n")
    for call, said in (
        (lambda: under_test.f(1, 2, 3), r"yours takes \(a, b\)"),
        (lambda: under_test.nothing, "has no `nothing`"),
        (lambda: under_test.x, "is not a function"),
        (lambda: under_test.none(), "returned None"),
    ):
        with pytest.raises(CheckFailure, match=said):
            call()


def test_a_file_that_can_t_be_loaded_says_so(stage):
    with pytest.raises(CannotLoad, match="Python can't read"):
        stage("def f(:\n").f()
    with pytest.raises(CannotLoad, match=r"py:1 could not be imported: ZeroDivisionError"):
        stage("1 / 0\n").f()


def test_what_is_printed_is_shown_and_cut(stage, capsys):
    stage("def f():\n    print('\\x1b[2J' + 'y' * 10**7)\n    return 1\n").f()
    said = capsys.readouterr().out
    assert said.startswith("<1B>[2Jyyy") and len(said) < 30_000


def test_switches_of_torch_and_sockets_that_do_not_wait_are_no_end(stage):
    source = "import os, torch\ntorch.use_deterministic_algorithms(True)\n"
    source += "for fd in range(64):\n    try:\n        os.set_blocking(fd, False)\n"
    source += "    except OSError:\n        pass\ndef f(x):\n    return x + 1\n"
    assert stage(source).f(torch.ones(1)).item() == 2


def test_operators_and_imports_are_asked_of_players(stage):
    under_test = stage("import torch\ndef f(x):\n    import transformers\n    return x\n\n"
                       "def g(x):\n    return torch.softmax(x, -1)\n")  # fmt: skip
    assert under_test.imported_answers() == {"transformers"}
    assert "softmax" in under_test.operators_called(lambda: under_test.g(torch.ones(2)))


def test_what_a_stage_keeps_stays_however_many_help_to_explain_it(hand_in):
    implementation = hand_in("n = 0\ndef f():\n    global n\n    n += 1\n    return n\n")
    counted = []
    for _ in range(2):
        under_test = implementation.under_test(STAGE)
        with under_test.trial(10):
            counted.append(under_test.f())
        helpers = [implementation.another() for _ in range(6)]
        for helper in helpers:
            with helper.under_test(STAGE).trial(10):
                assert helper.under_test(STAGE).f() == 1
        for helper in helpers:
            helper.unload()
    assert counted == [1, 2]


def test_bytes_in_an_exception_are_bytes_here(stage):
    with pytest.raises(KeyError) as missing:
        stage("def f():\n    return {}[b'\\xc3']\n").f()
    assert type(missing.value) is KeyError and missing.value.args == (b"\xc3",)
    with pytest.raises(UnicodeDecodeError) as undecoded:
        stage("def f():\n    return b'\\xc3'.decode()\n").f()
    assert type(undecoded.value) is UnicodeDecodeError and undecoded.value.object == b"\xc3"


def test_what_breaks_here_while_a_stage_calls_has_the_stage_s_line(hand_in):
    implementation = hand_in("def f(choose):\n    return choose(0)\n")
    with pytest.raises(ZeroDivisionError) as raised:
        implementation.under_test(STAGE).f(lambda n: 1 // n)
    frames = implementation.frames(raised.value)
    assert [(f.lineno, f.line) for f in frames] == [(2, "return choose(0)")]


def test_a_changed_input_that_gradients_are_asked_for_is_said(stage):
    x, w = torch.ones(2), torch.ones(2, requires_grad=True)
    source = "import torch\ndef f(x, w):\n    with torch.no_grad():\n        w *= 2\n"
    with pytest.raises(CheckFailure, match="`f` changed its input"):
        stage(f"{source}    return x @ w\n").f(x, w)
    assert w.tolist() == [1, 1]


def test_a_file_that_never_ends_says_that_it_does_not(hand_in):
    with pytest.raises(LoadsForEver, match="did not end in time"):
        under_test = hand_in("while True:\n    pass\n").under_test(STAGE)
        with under_test.trial(0.5):
            under_test.f()


def test_what_the_jail_refuses_is_said(players, stage):
    if players.open:
        pytest.skip("; ".join(players.open))
    asks = "import socket\n"
    with pytest.raises(PermissionError, match=r"With --isolated a stage .* opens no connection"):
        stage(f"{asks}def f():\n    socket.socket()\n").f()
    with pytest.raises(CannotLoad, match=r"With --isolated a stage .* opens no connection"):
        stage(f"{asks}socket.socket()\n").f()


def test_copies_of_a_pack_s_tensor_are_equal_until_one_is_changed(stage):
    pack = next(Pack(folder) for folder in find_packs(find_course().packs))
    name = next(pack.weight_names())
    under_test = stage("def f(*given):\n    return [x.clone() for x in given]\n")
    changed, again = pack.weight(name), copy.deepcopy(pack.weight(name))
    changed.mul_(2)
    for _ in range(2):  # the second time they are known
        given = pack.weight(name), pack.weight(name), changed, copy.deepcopy(changed), again
        for mine, theirs in zip(given, under_test.f(*given), strict=True):
            assert torch.equal(mine, theirs) and mine is not theirs
