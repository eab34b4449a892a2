"""What a learner can get wrong before the mathematics: a clear sentence, and only its own stage.

Each file stands in for stage 3, beside a right stage 2 in the same folder.
"""

import shutil

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
        "ValueError at s03_rms_norm.py:5, in rms_norm: \\x1b[2J",
    ),
    "a result of a class without a name": (
        rms_norm("return type('', (), {})()"),
        "is a class without a name; it should be a torch.Tensor.",
    ),
    "recursion": (rms_norm("return rms_norm(x, weight, eps)"), "RecursionError at s03_rms_norm.py"),
    "interrupts": (rms_norm("raise KeyboardInterrupt"), "ended the program at s03_rms_norm.py:5"),
}


@pytest.fixture
def folder(tmp_path):
    shutil.copy(SOLUTIONS / "s02_embed.py", tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_gets_a_sentence_and_spoils_only_its_stage(case, folder, monkeypatch):
    if "never ends" in case:
        monkeypatch.setattr("token_journey.grading.plugin.SECONDS_A_CHECK", 0.5)
    source, sentence = BAD_FILES[case]
    (folder / "s03_rms_norm.py").write_text(source)
    graded = grade(folder)
    assert graded.exit_code == 1
    assert graded.kinds("s02_embed") == {"passed"}
    assert "failed" in graded.kinds("s03_rms_norm")
    assert any(sentence in message for message in graded.messages), graded.messages[0]
    assert "Traceback" not in graded.output
    assert "token_journey/" not in graded.output.replace("/s03_rms_norm.py", "")
    assert len(graded.output.splitlines()) < 120


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
