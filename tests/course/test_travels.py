"""The wheel, installed where no checkout is: a learner's whole way, without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from token_journey.course.course import VERSION, find_course

pytestmark = pytest.mark.slow
COURSE = find_course()
LARGEST = 25 * 10**6
# Where Linux allows it, a process without a network; elsewhere an address that nobody answers at.
_CUT_OFF = ["unshare", "--net", "--map-root-user"]
_NOBODY = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")

WHERE = """
import sys, token_journey, torch
from token_journey.course.course import find_course
print(token_journey.__file__, find_course().home, *sys.path, sep="\\n")
"""


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """All of it, however it was broken into lines."""
        return " ".join((self.out + self.err).split())


@dataclass
class Elsewhere:
    """An environment with the wheel in it, and a folder to be in."""

    folder: Path
    python: Path
    wheel: Path

    @property
    def site(self) -> Path:
        return next((self.python.parents[1]).glob("[Ll]ib/**/site-packages"))

    @property
    def course(self) -> Path:
        return self.site / "token_journey" / "_course"

    def run(self, *arguments: object, here: Path | None = None) -> Said:
        run = subprocess.run(
            [*cut_off(), self.python, *map(str, arguments)],
            cwd=here or self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "OMP_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                **_NOBODY,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(run.returncode, run.stdout, run.stderr)

    def grade(self, *paths: object, here: Path | None = None) -> Said:
        return self.run("-m", "pytest", "-p", "no:cacheprovider", *paths, here=here)

    def token_journey(self, *arguments: object, here: Path | None = None) -> Said:
        return self.run("-m", "token_journey", *arguments, here=here)


def cut_off() -> list[str]:
    works = shutil.which("unshare") and not subprocess.call([*_CUT_OFF, "true"], stderr=-3)
    return _CUT_OFF if works else []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the checkout, with hatchling from here or from where pip finds it."""
    folder = tmp_path_factory.mktemp("wheel")
    isolation = ["--no-build-isolation"] if find_spec("hatchling") else []
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *isolation]
    subprocess.run([*build, "-w", folder, COURSE.home], check=True)
    return next(folder.glob("token_journey-*.whl"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, wheel):
    """A new environment: torch and the like are looked up in this one's folder of packages.

    A path in a .pth file adds no other .pth file, so that an editable install is not found.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", symlinks=os.name != "nt")
    python = next((folder / "venv").glob("[bS]*/python*"))
    new = Elsewhere(folder, python, wheel)
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps"]
    subprocess.run([*install, "--no-index", wheel], check=True)
    (new.site / "packages.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return new


@pytest.fixture
def kata(elsewhere, tmp_path):
    """What `start` makes, with the solutions written into it."""
    assert elsewhere.token_journey("start", tmp_path / "kata").code == 0
    for file in elsewhere.course.joinpath("solutions").glob("s*.py"):
        shutil.copy(file, tmp_path / "kata" / "exercises")
    return tmp_path / "kata"


def spoil(file: Path, right: str, wrong: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong), encoding="utf-8")


def spoil_stage_3(kata: Path) -> Path:
    file = kata / "exercises" / "s03_rms_norm.py"
    spoil(file, "(mean_square + eps).sqrt()", "mean_square.sqrt()")
    return file


def test_the_wheel_is_small_and_holds_nobodys_exercises(elsewhere):
    assert elsewhere.wheel.stat().st_size <= LARGEST
    assert sorted(path.name for path in elsewhere.course.iterdir()) == [
        "checks",
        "docs",
        "packs",
        "solutions",
    ]


def test_nothing_of_the_checkout_is_in_reach(elsewhere):
    said = elsewhere.run("-c", WHERE)
    kit, home, *path = said.out.splitlines()
    assert Path(kit).parents[1] == elsewhere.site
    assert Path(home) == elsewhere.course
    assert str(COURSE.home) not in path


def test_start_makes_stubs_that_plain_pytest_grades(elsewhere, tmp_path):
    said = elsewhere.token_journey("start", "kata", here=tmp_path)
    assert said.out.startswith("kata is ready: ") and said.code == 0
    made = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    stages = [f"kata/exercises/{stage.file}" for stage in COURSE.stages()]
    page = "kata/docs/pytorch-you-need.md"
    assert made == ["kata/.token-journey.json", "kata/README.md", page, *stages]
    graded = elsewhere.grade(here=tmp_path / "kata")
    assert graded.code == 1
    assert "Next: write stage 1, exercises/s01_tokenize.py" in graded.words
    assert " failed" not in graded.out.splitlines()[-1]


def test_right_stages_are_right(elsewhere, kata):
    said = elsewhere.grade("kata/exercises", here=kata.parent)
    assert said.code == 0 and "All that was asked for is right." in said.out
    assert "course" not in said.out


def test_a_mistake_is_named_and_later_stages_are_judged_apart(elsewhere, kata):
    spoil_stage_3(kata)
    said = elsewhere.grade(here=kata)
    assert said.code == 1
    assert "It looks as if eps is left out" in said.words
    assert "right; it works once stage 3 is right, too" in said.out
    assert said.out.count("checks fail") == 1


def test_reset_keeps_the_old_file(elsewhere, kata):
    mine = spoil_stage_3(kata).read_bytes()
    said = elsewhere.token_journey("reset", "3", here=kata)
    kept = kata / "exercises" / "s03_rms_norm.old.py"
    assert said.out == (
        "exercises/s03_rms_norm.py is a fresh stub.\n"
        "Your old file is exercises/s03_rms_norm.old.py.\n"
    )
    assert kept.read_bytes() == mine
    assert b"raise NotImplementedError" in (kata / "exercises" / "s03_rms_norm.py").read_bytes()


def test_the_reference_is_shown_once_the_stage_is_right(elsewhere, kata):
    reference = (elsewhere.course / "solutions" / "s03_rms_norm.py").read_text(encoding="utf-8")
    right = elsewhere.token_journey("solution", "3", kata)
    assert (right.code, right.out) == (0, reference)
    spoil_stage_3(kata)
    wrong = elsewhere.token_journey("solution", "3", here=kata / "exercises")
    assert wrong.code == 1 and not wrong.out
    assert "checks of s03_rms_norm.py hold: make it right first" in wrong.err
    assert elsewhere.token_journey("solution", "3", "--anyway", here=kata).out == reference


@pytest.mark.parametrize(
    "version, said", [("0.0.9", True), (VERSION, False), ("a\n\x1b[1m", False)]
)
def test_another_version_of_the_course_is_said(elsewhere, kata, version, said):
    (kata / ".token-journey.json").write_text(json.dumps({"course": version}), encoding="utf-8")
    graded = elsewhere.grade("exercises/s08_lm_head.py", here=kata)
    sentence = f"exercises is of version 0.0.9 of the course, and version {VERSION} grades it"
    assert graded.code == 0
    assert (sentence in graded.words) == said
    assert "\x1b" not in graded.out


def test_a_clone_beside_it_is_graded_by_the_kit_that_is_imported(elsewhere, tmp_path):
    clone = tmp_path / "clone"
    for folder in ("checks", "solutions"):
        shutil.copytree(COURSE.home / folder, clone / folder)
    shutil.copytree(COURSE.reference, clone / "exercises")
    shutil.copy(COURSE.home / "conftest.py", clone)
    (clone / "checks" / "check_s08_lm_head.py").write_text("raise SystemExit", encoding="utf-8")
    said = elsewhere.grade("exercises/s08_lm_head.py", here=clone)
    assert said.code == 0
    sentence = "exercises lies in another copy of token-journey; the kit that Python imports grades"
    assert sentence in said.words and str(elsewhere.course) in said.words


# -- damage -------------------------------------------------------------------


@pytest.fixture(params=["changed", "missing"])
def damage(request, elsewhere):
    """Does something to a file of the course, and takes it back."""
    undo = []

    def damage(name: str) -> Path:
        file = elsewhere.course / name
        content = file.read_bytes()
        undo.append((file, content))
        file.unlink()
        if request.param == "changed":
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        return file

    yield damage
    for file, content in undo:
        file.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        "checks/check_s09_softmax.py",
        pytest.param("checks/misconceptions/s03_rms_norm.py", marks=pytest.mark.exam),
        pytest.param("solutions/s03_rms_norm.py", marks=pytest.mark.exam),
        pytest.param("packs/witness-mqa/pack.json", marks=pytest.mark.exam),
        "packs/witness-mqa/weights.safetensors",
    ],
)
def test_damage_is_said_with_what_mends_it(elsewhere, tmp_path, damage, name):
    stage = shutil.copy(COURSE.reference / "s08_lm_head.py", tmp_path)
    file = damage(name)
    said = elsewhere.grade(stage)
    assert said.code == pytest.ExitCode.USAGE_ERROR
    mends = f"`pip install --force-reinstall --no-deps {elsewhere.wheel.as_uri()}`"
    assert str(file) in said.words and mends in said.words
    assert "Traceback" not in said.words and "git checkout" not in said.words


def test_a_command_says_so_too(elsewhere, damage):
    file = damage("packs/aitana-2b-s-published/activations.safetensors")
    said = elsewhere.token_journey("show")
    assert said.code == 1 and said.err.count("\n") == 1
    assert said.err.startswith(f"token-journey: {file} is not as it was installed: `pip install ")
