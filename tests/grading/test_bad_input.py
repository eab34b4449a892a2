"""What a learner can get wrong before the mathematics: a clear sentence, and only its own stage.

Each file stands in for stage 3, beside a right stage 2 in the same folder.
"""

import os
import shutil
import subprocess
import sys

import pytest
from graded import grade

from token_journey.course.course import find_course

pytestmark = pytest.mark.slow

SOLUTIONS = find_course().reference
HEAD = "import sys, numpy, torch\n"


def rms_norm(body: str, parameters: str = "x, weight, eps") -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{HEAD}\n\ndef rms_norm({parameters}):\n{lines}\n"


RIGHT = "weight * (x / (x.float().square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype)"

BAD_FILES = {
    "syntax error": (
        "def rms_norm(x, weight, eps)\n    pass\n",
        "Python can't read s03_rms_norm.py:1",
    ),
    "failing import": ("import no_such_module\n", "No module named 'no_such_module'"),
    "failing relative import": ("from .s99_nothing import x\n", "could not be imported"),
    "fails while imported": (
        "1 / 0\n",
        "s03_rms_norm.py:1 could not be imported: ZeroDivisionError",
    ),
    "exit while imported": ("raise SystemExit(0)\n", "could not be imported: SystemExit"),
    "error that can't speak": (
        "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\n\nraise Mute",
        "s03_rms_norm.py:5 could not be imported: Mute.",
    ),
    "null bytes": ("x = 1\0", "s03_rms_norm.py is not UTF-8 text, for it holds null bytes"),
    "never ends while imported": (
        "while True: pass\n",
        "s03_rms_norm.py:1 did not end in time while it was imported",
    ),
    "empty file": ("", "s03_rms_norm.py has no `rms_norm`"),
    "other name": ("def rmsnorm(x, weight, eps): return x\n", "has no `rms_norm`"),
    "no function": ("rms_norm = 3\n", "`rms_norm` in s03_rms_norm.py is not a function"),
    "too few parameters": (rms_norm("return x", "x, weight"), "yours takes (x, weight)"),
    "too many parameters": (rms_norm("return x", "x, w, eps, dim"), "yours takes (x, w, eps, dim)"),
    "None": (rms_norm("x * weight"), "`rms_norm` returned None: is a `return` missing?"),
    "list": (rms_norm("return x.tolist()"), "is a list; it should be a torch.Tensor"),
    "numpy": (
        rms_norm("return x.float().detach().numpy()"),
        "is a ndarray; it should be a torch.Tensor",
    ),
    "wrong shape": (
        rms_norm(f"return ({RIGHT}).sum(-1)"),
        "The shape of the normalised input of attention is (5,); it should be (5, 576).",
    ),
    "wrong dtype": (
        rms_norm(f"return ({RIGHT}).double()"),
        "is float64; it should be float32",
    ),
    "NaN": (rms_norm("return x * float('nan')"), "numbers are NaN, first at token 0"),
    "infinity": (rms_norm("return x * float('inf')"), "numbers are"),
    "sparse": (
        rms_norm(f"return ({RIGHT}).to_sparse()"),
        "is sparse_coo; it should be an ordinary",
    ),
    "parameter": (
        rms_norm(f"return torch.nn.Parameter({RIGHT})"),
        "is a Parameter; it should be a torch.Tensor",
    ),
    "torch's own": (
        f"{HEAD}rms_norm = torch.nn.functional.rms_norm\n",
        "`rms_norm` raised TypeError: rms_norm(): argument 'normalized_shape'",
    ),
    "torch's own, in C": (f"{HEAD}rms_norm = torch.rms_norm\n", "`rms_norm` raised TypeError: "),
    "raises without a word": (
        rms_norm("raise MemoryError"),
        "MemoryError at s03_rms_norm.py:5, in rms_norm\n",
    ),
    "another device": (rms_norm("return x.to('meta')"), "is on device meta"),
    "changes its input": (
        rms_norm(f"y = {RIGHT}\nx += 1\nreturn y"),
        "`rms_norm` changed its input",
    ),
    "raises": (rms_norm("return x @ x"), "Error at s03_rms_norm.py:5, in rms_norm"),
    "exits": (rms_norm("sys.exit(0)"), "ended the program at s03_rms_norm.py:5"),
    "never ends": (rms_norm("while True: pass"), "did not end in time"),
    "never ends, catches all": (
        rms_norm("while True:\n    try:\n        x = x\n    except:\n        pass"),
        "did not end in time",
    ),
    "an error without a name that ends the program when it speaks": (
        rms_norm("raise type('', (Exception,), {'__str__': lambda self: exit()})"),
        "An error without a name at s03_rms_norm.py:5, in rms_norm: (its message can't be shown)",
    ),
    "an error that interrupts when it speaks": (
        rms_norm("raise type('Bad', (Exception,), {'__str__': lambda self: interrupt()})")
        + "\ndef interrupt():\n    raise KeyboardInterrupt\n",
        "Bad at s03_rms_norm.py:5, in rms_norm: (its message can't be shown)",
    ),
    "an error that would clear the screen": (
        rms_norm("raise ValueError('\\x1b[2J')"),
        "ValueError at s03_rms_norm.py:5, in rms_norm: <1B>[2J",
    ),
    "a result of a class without a name": (
        rms_norm("return type('', (), {})()"),
        "is a class without a name; it should be a torch.Tensor.",
    ),
    "recursion": (rms_norm("return rms_norm(x, weight, eps)"), "RecursionError at s03_rms_norm.py"),
    "error without a name": (
        rms_norm("raise type('', (Exception,), {})('oh')"),
        "An error without a name at s03_rms_norm.py:5, in rms_norm: oh",
    ),
    "name that raises": (
        rms_norm("return type('M', (type,), {'__name__': property(sys.exit)})('N', (), {})()"),
        "is a N; it should be a torch.Tensor",
    ),
    "exits when asked": (
        rms_norm("return type('Odd', (), {'__getattribute__': lambda *_: sys.exit()})()"),
        "is an Odd; it should be a torch.Tensor",
    ),
    "exits when it ends": (
        rms_norm("return type('Odd', (), {'__del__': lambda _: sys.exit()})()"),
        "is an Odd; it should be a torch.Tensor",
    ),
    "exits when told": (
        rms_norm("raise type('Odd', (Exception,), {'__str__': lambda _: sys.exit()})()"),
        "Odd at s03_rms_norm.py:5, in rms_norm: (its message can't be shown)",
    ),
    "list of one's own": (
        rms_norm("return type('L', (list,), {'__eq__': lambda *_: True})(x.tolist())"),
        "is a L; it should be a torch.Tensor",
    ),
    "interrupts": (rms_norm("raise KeyboardInterrupt"), "ended the program at s03_rms_norm.py:5"),
}


@pytest.fixture
def folder(tmp_path):
    shutil.copy(SOLUTIONS / "s02_embed.py", tmp_path)
    return tmp_path


# Of the run around: what `__del__` raises after the run inside.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_gets_a_sentence_and_spoils_only_its_stage(case, folder, monkeypatch):
    if "never ends" in case:
        monkeypatch.setattr("token_journey.grading.plugin.SECONDS_A_CHECK", 0.5)
    source, sentence = BAD_FILES[case]
    (folder / "s03_rms_norm.py").write_text(source)
    graded = grade(folder / "s02_embed.py", folder / "s03_rms_norm.py")
    assert graded.exit_code == 1
    assert graded.kinds("s02_embed") == {"passed"}
    assert "failed" in graded.kinds("s03_rms_norm")
    assert any(sentence in message for message in graded.messages), graded.messages[0]
    assert "Traceback" not in graded.output
    assert "token_journey/" not in graded.output.replace("/s03_rms_norm.py", "")
    assert len(graded.output.splitlines()) < 120


EQUAL = "{'__eq__': lambda *_: True, '__ne__': lambda *_: False}"


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ("type('L', (list,), EQUAL)([b'x'])", "is a L; it should be a list"),
        ("[type('B', (bytes,), EQUAL | {'__hash__': bytes.__hash__})(b'x')] * len(symbols)", ""),
        ("[type('Any', (), EQUAL)()]", ""),
        ("[type('Any', (), {'__repr__': lambda _: exit()})()]", "[<list>"),
    ],
)
def test_values_that_call_themselves_equal_are_not(returned, sentence, tmp_path):
    source = f"EQUAL = {EQUAL}\n\n\ndef merge(symbols, ranks):\n    return {returned}\n"
    (tmp_path / "s01_tokenize.py").write_text(source)
    graded = grade(tmp_path / "s01_tokenize.py", options=("-k", "merge"))
    assert graded.kinds("s01_tokenize") == {"failed"}
    assert sentence in graded.output or sentence == "[<list>"
    assert "token_journey/" not in graded.output


def test_numbers_of_libraries_are_numbers(tmp_path):
    shutil.copy(SOLUTIONS / "s01_tokenize.py", tmp_path)
    file = tmp_path / "s01_tokenize.py"
    file.write_text(
        f"{file.read_text(encoding='utf-8')}\n\nimport numpy\n\n_encode = encode\n\n\n"
        "def encode(*given):\n    return [numpy.int64(i) for i in _encode(*given)]\n",
        encoding="utf-8",
    )
    assert grade(file).exit_code == 0


def test_a_cache_that_only_is_a_dict(tmp_path):
    shutil.copytree(SOLUTIONS, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "s10_generate.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(f"{source}\n\nclass KeyValueCache(dict):\n    pass\n", encoding="utf-8")
    graded = grade(file, options=("-k", "a_cache"))
    said = "The check can't use what your s10_generate.py gives it: TypeError: update expected"
    assert any(said in " ".join(message.split()) for message in graded.messages)
    assert not any("Error\n" in message for message in graded.messages)
    assert "token_journey/" not in graded.output


def test_a_mistake_in_the_reference_itself(tmp_path, monkeypatch):
    """`pytest solutions/s08_lm_head.py`: nothing right is there to know mistakes by."""
    home = find_course().home
    for name in ("token_journey", "checks", "packs", "solutions", "conftest.py"):
        copy = shutil.copytree if (home / name).is_dir() else shutil.copy
        copy(home / name, tmp_path / name)
    file = tmp_path / "solutions" / "s08_lm_head.py"
    wrong = "\n\ndef lm_head(x, norm_weight, w_vocab, eps):\n    return x @ w_vocab.mT\n"
    file.write_text(file.read_text(encoding="utf-8") + wrong, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", str(file), "-q", "-k", "published or model"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "Every number differs" in done.stdout
    assert "AssertionError" not in done.stdout and "token_journey/" not in done.stdout


def test_a_mistake_is_known_where_the_reference_is_graded_too(tmp_path):
    file = tmp_path / "s03_rms_norm.py"
    source = (SOLUTIONS / "s03_rms_norm.py").read_text(encoding="utf-8")
    file.write_text(source.replace(" + eps", ""), encoding="utf-8")
    graded = grade(file, SOLUTIONS / "s03_rms_norm.py", options=("-k", "by_hand"))

    assert graded.kinds("s03_rms_norm") == {"failed", "passed"}
    assert "AssertionError" not in graded.output and "eps" in graded.messages[0]


def test_not_utf8(folder):
    (folder / "s03_rms_norm.py").write_bytes(b'name = "a\xe7\xf2"\n')
    graded = grade(folder)
    assert "s03_rms_norm.py" in graded.messages[0]
    assert graded.kinds("s02_embed") == {"passed"}


def test_a_byte_order_mark_does_no_harm(folder):
    """As some editors write it on Windows."""
    written = (SOLUTIONS / "s03_rms_norm.py").read_bytes().replace(b"\n", b"\r\n")
    (folder / "s03_rms_norm.py").write_bytes(b"\xef\xbb\xbf" + written)
    assert grade(folder / "s03_rms_norm.py").exit_code == 0


def test_an_encoding_that_is_declared_does_no_harm(folder):
    written = (SOLUTIONS / "s03_rms_norm.py").read_text(encoding="utf-8")
    code = written[written.index("from jaxtyping") :]
    declared = f"# -*- coding: latin-1 -*-\n# açò\n{code}"
    (folder / "s03_rms_norm.py").write_bytes(declared.encode("latin-1", errors="replace"))
    assert grade(folder / "s03_rms_norm.py").exit_code == 0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "root = (x.float().square().mean(-1, keepdim=True) + eps).sqrt()\n"
            "normed = x / root\nroot.add_(1)\nreturn (weight * normed).to(x.dtype)",
            "The gradient of rms_norm can't be computed: one of the variables needed for gradient",
        ),
        (
            f"return ({RIGHT}).detach().requires_grad_()",
            "No finite gradient reaches argument 1 of rms_norm",
        ),
    ],
)
def test_gradients_that_can_not_be(body, sentence, folder):
    (folder / "s03_rms_norm.py").write_text(rms_norm(body))
    graded = grade(folder)
    assert any(sentence in " ".join(message.split()) for message in graded.messages)
    assert not any("token_journey/" in message for message in graded.messages)


def test_a_stage_that_prints_a_lot_is_cut_short(folder):
    (folder / "s03_rms_norm.py").write_text(
        rms_norm("for i in range(3000): print('a line of debugging', i)\nreturn x")
    )
    graded = grade(folder / "s03_rms_norm.py")
    assert "a line of debugging 0" in graded.output
    assert "a line of debugging 2999" not in graded.output


def test_a_path_with_no_stage(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    graded = grade(tmp_path)
    assert graded.exit_code == 5
    assert "Nothing to grade in" in graded.output


def test_a_path_that_is_not_there(tmp_path):
    graded = grade(tmp_path / "exercices")
    assert graded.exit_code == 4
    assert "not found" in graded.output


def test_a_misspelled_stage_file_is_named(folder):
    (folder / "s03_rmsnorm.py").write_text("")
    said = "s03_rmsnorm.py is not graded: stages are called s03_rms_norm.py."
    assert said in grade(folder).output
    graded = grade(folder / "s03_rmsnorm.py")
    assert said in graded.output and graded.exit_code != 0


def test_a_pack_that_is_not_there(folder, tmp_path):
    graded = grade(folder, options=("--pack", str(tmp_path / "no-pack")))
    assert graded.exit_code == 4
    assert "There is no pack in" in graded.output
    assert "Traceback" not in graded.output


@pytest.fixture
def pack(tmp_path_factory):
    copy = tmp_path_factory.mktemp("packs") / "copy"
    return shutil.copytree(find_course().packs / "witness-mqa", copy)


def test_a_truncated_pack_is_refused_by_name(folder, pack):
    shutil.copy(SOLUTIONS / "s03_rms_norm.py", folder)
    file = pack / "activations.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    graded = grade(folder, options=("--pack", str(pack)))
    assert graded.exit_code == 4
    assert f"{file} is damaged" in graded.output
    assert "Traceback" not in graded.output


def test_an_altered_pack_is_refused_by_name(folder, pack):
    shutil.copy(SOLUTIONS / "s03_rms_norm.py", folder)
    file = pack / "weights.safetensors"
    altered = bytearray(file.read_bytes())
    altered[-1] ^= 1
    file.write_bytes(altered)
    graded = grade(folder, options=("--pack", str(pack)))
    assert graded.exit_code == 4
    assert f"{file} is damaged" in graded.output


def test_a_pack_of_a_newer_format_is_refused(folder, pack):
    manifest = pack / "pack.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    graded = grade(folder, options=("--pack", str(pack)))
    assert graded.exit_code == 4
    assert "is a pack of format 2" in graded.output
    assert "git pull" in graded.output
