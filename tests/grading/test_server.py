"""A warm judge, spoken to in JSON lines."""

import json
import shutil
import subprocess
import sys

import pytest

from token_journey.course.course import find_course
from token_journey.grading.verdict import Verdict

COURSE = find_course()
RIGHT = COURSE.reference / "s03_rms_norm.py"
WRONG = "def rms_norm(x, weight, eps):\n    return x\n"
DIES = "import os\n\n\ndef rms_norm(x, weight, eps):\n    os.kill(os.getpid(), 9)\n"


def ask(*lines):
    """What a judge says to these lines, in order."""
    done = subprocess.run(
        [sys.executable, "-m", "token_journey.grading.server"],
        input="".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def hand_ins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    for name, text in {"wrong": WRONG, "dies": DIES, "right": RIGHT.read_text("utf-8")}.items():
        (folder / name).mkdir()
        (folder / name / RIGHT.name).write_text(text, encoding="utf-8")
    return folder


def test_each_hand_in_gets_its_own_grade(hand_ins):
    names = ["right", "wrong", "dies", "right"]
    said = ask(*({"id": i, "paths": [str(hand_ins / n / RIGHT.name)]} for i, n in enumerate(names)))
    ends = {line["id"]: line["right"] for line in said if "done" in line}
    assert ends == {0: True, 1: False, 2: False, 3: True}
    verdicts = [Verdict.from_json(line["verdict"]) for line in said if "verdict" in line]
    assert len(verdicts) == 4 * 35
    assert {v.kind for v in verdicts if "right" in v.path} == {"passed"}
    assert any("SIGKILL" in v.message for v in verdicts if v.path.endswith("dies"))


def test_packs_and_options(hand_ins, tmp_path):
    pack = shutil.copytree(COURSE.packs / "witness-mqa", tmp_path / "mine")
    file = str(hand_ins / "right" / RIGHT.name)
    said = ask({"paths": [file], "packs": [str(pack)], "options": ["-k", "bfloat16"]})
    assert {Verdict.from_json(x["verdict"]).check for x in said[:-1]} == {"test_bfloat16"}


BAD = {
    "no JSON": "grade this",
    "no object": "[1]",
    "no paths": {"id": 1},
    "another name": {"paths": [], "nonsense": 1},
    "a text for a list": {"paths": "maria"},
    "numbers": {"paths": [1]},
    "nowhere": {"paths": ["/nowhere"]},
    "no pack": {"paths": ["/nowhere"], "packs": ["/no/pack"]},
}


def test_what_can_not_be_graded_is_one_sentence_and_the_judge_goes_on(hand_ins):
    said = ask(*BAD.values(), {"id": "last", "paths": [str(hand_ins / "right" / RIGHT.name)]})
    errors = [line["error"] for line in said if "error" in line]
    assert len(errors) == len(BAD)
    assert all("\n" not in error and error.endswith(".") for error in errors), errors
    assert said[-1] == {"id": "last", "done": True, "right": True}
