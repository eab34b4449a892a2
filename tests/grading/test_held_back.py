"""Packs that are held back: grading says what is wrong, and never what would be right."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from checkpoints import captured, make
from graded import Graded, grade

from token_journey.chain.against_model import Walk
from token_journey.course.course import find_course
from token_journey.grading.chained import tell
from token_journey.numbers import percent
from token_journey.packs.manifest import seal
from token_journey.packs.pack import Pack

pytestmark = pytest.mark.slow

PROMPT = "un secret que ningú ha de llegir"
STAGES = "s01_tokenize.py", "s03_rms_norm.py", "s06_swiglu.py", "s10_generate.py"
# What a stage that wants to know more than it should would do.
CURIOUS = """

def rms_norm(x, weight, eps):
    print("SEEN", x.flatten()[:4].tolist())
    raise ValueError(f"SEEN {x.flatten()[:4].tolist()}")
"""
WRONG = {
    "s01_tokenize.py": "\ndef decode(ids, id_to_bytes):\n    return 'x'\n"
    "\ndef encode(words, vocab, ranks, bos_id=None):\n    return [5, 6]\n",
    "s03_rms_norm.py": "\ndef rms_norm(x, weight, eps):\n    return torch.zeros_like(x)\n",
    "s06_swiglu.py": "\ndef swiglu(x, w_gate, w_up, w_down):\n    return torch.zeros_like(x)\n",
    "s10_generate.py": "\ndef generate(prompt_ids, *_, **__):\n"
    "    return torch.cat([prompt_ids, prompt_ids[:1]])\n",
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("held")
    model = make(folder / "model", num_hidden_layers=2)
    prompts = {"exam": PROMPT}
    found, _ = captured(
        model, folder / "exam", streamed=True, layers="all", prompts=prompts, held_back=True
    )
    return found


def graded(pack: Pack, folder: Path, added: dict[str, str], *options: str) -> Graded:
    shutil.copytree(find_course().reference, folder)
    for name, code in added.items():
        with (folder / name).open("a") as file:
            file.write(code)
    files = [folder / name for name in added]
    return grade(*files, options=("--pack", str(pack.folder), "-k", "exam", *options))


def numbers(pack: Pack) -> set[str]:
    """Every expected number as a message would print it."""
    found = set()
    for name in pack.activation_names("exam"):
        value = pack.activation("exam", name)
        for number in value[value.isfinite() & (value != 0) & (value.abs() != 1)].tolist():
            found |= {f"{number:.{digits}f}" for digits in (4, 6, 8)}
            found.add(repr(number))
    return found


def leaked(text: str, pack: Pack) -> set[str]:
    # Of numbers with fewer digits some agree by chance.
    printed = {n for n in re.findall(r"-?\d+\.\d{4,}", text) if len(n.strip("-0.")) >= 4}
    return printed & numbers(pack)


@pytest.mark.parametrize("options", [(), ("-vv", "--showlocals", "--tb=long", "-rA")])
def test_no_right_answer_is_printed(pack: Pack, tmp_path: Path, options: tuple[str, ...]) -> None:
    report = tmp_path / "report.xml"
    result = graded(pack, tmp_path / "mine", WRONG, *options, f"--junitxml={report}")
    failed = {about["stage"] for about in result.reports if about["kind"] == "failed"}
    assert failed == {name.removesuffix(".py") for name in STAGES}
    for text in (result.output, report.read_text()):
        assert "yours" in text and "expected" not in text
        assert not leaked(text, pack)
        assert PROMPT not in text
        assert "[1, 3" not in text  # the ids begin so


def test_the_same_pack_not_held_back_does_print(pack: Pack, tmp_path: Path) -> None:
    """So that the test above can fail."""
    open_pack = tmp_path / "open"
    shutil.copytree(pack.folder, open_pack)
    manifest = (open_pack / "pack.json").read_text()
    (open_pack / "pack.json").write_text(
        manifest.replace('"held_back": true', '"held_back": false')
    )
    seal(open_pack)
    result = graded(Pack(open_pack), tmp_path / "mine", WRONG, "-vv")
    assert "expected" in result.output and leaked(result.output, pack)
    assert PROMPT in result.output


def test_what_a_stage_prints_or_raises_is_not_repeated(pack: Pack, tmp_path: Path) -> None:
    result = graded(pack, tmp_path / "mine", {"s03_rms_norm.py": CURIOUS}, "-vv", "-rA")
    assert "ValueError at s03_rms_norm.py" in result.output
    assert "SEEN [" not in result.output


def test_the_right_code_passes(pack: Pack, tmp_path: Path) -> None:
    assert graded(pack, tmp_path / "mine", dict.fromkeys(STAGES, "\n")).exit_code == 0


def test_a_walk_does_not_tell_the_next_token(pack: Pack) -> None:
    model = pack.activation("exam", "probs.last")
    mine = torch.full_like(model, 1 / len(model))
    walk = Walk([], probs=mine, broken="s03_rms_norm", error=ValueError(torch.ones(3)))
    told = tell(walk, pack, pack.prompts["exam"])
    assert percent(float(model.max())) not in told and "your walk:" in told
    assert "the model:" not in told and "tensor" not in told
    assert PROMPT not in told
