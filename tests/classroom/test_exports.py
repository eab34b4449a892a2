"""What comes out of results: read by somebody else's reader, wherever there is one."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from decimal import Decimal
from xml.etree import ElementTree

import jsonschema
import pytest
from made_up import COURSE, STAGES, made_up_class, result, rows_of

from token_journey.classroom.exports import NAMES, export
from token_journey.classroom.gradescope import gradescope, write_autograder
from token_journey.classroom.points import Worth, one_each
from token_journey.classroom.result import FailedCheck
from token_journey.classroom.roster import Student
from token_journey.classroom.tables import canvas, grades, moodle
from token_journey.course.lessons import mistakes
from token_journey.errors import ClassError

# From https://gradescope-autograders.readthedocs.io/en/latest/specs/
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
SPECIFICATION = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["score"]}, {"required": ["tests"]}],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}


def table(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_grades(tmp_path):
    rows = rows_of(tmp_path, result("Maria Solér", right=3, remarks=["one", "two"]), result("Ann"))
    ann, maria = table(grades(rows))
    assert list(maria)[3:5] == ["tokenize", "embed"]
    assert maria["student"] == "Maria Solér" and maria["remarks"] == "one; two"
    assert (maria["rms_norm"], maria["rope"], maria["softmax"]) == ("6 of 6", "2 of 6", "0 of 6")
    assert (ann["sum (of 10)"], maria["sum (of 10)"]) == ("10", "3.33")


def test_who_handed_in_nothing_has_a_row_of_zeros(tmp_path):
    nothing = result("Jo", remarks=["no stage was handed in"])
    nothing.stages.clear()
    _, jo = table(grades(rows_of(tmp_path, result("Ann"), nothing)))
    assert jo["rms_norm"] == "0 of 6" and jo["sum (of 10)"] == "0"


def test_no_cell_is_a_formula(tmp_path):
    names = ["=1+1", "+cmd|x", "-2", "@SUM(A1)", "a\r=b"]
    rows = rows_of(tmp_path, *(result(name, right=1, mistake="=x") for name in names))
    for text in (grades(rows), moodle(rows), canvas(rows)):
        for row in table(text):
            assert not any(
                cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values()
            )


def test_moodle_gets_grade_and_feedback_together(tmp_path):
    roster = [Student("Maria Solér", "47", "m@x.es")]
    norm = next(iter(mistakes(COURSE, STAGES[2])))
    (row,) = table(moodle(rows_of(tmp_path, result(right=2, mistake=norm), roster=roster)))
    assert (row["ID number"], row["Email address"]) == ("47", "m@x.es")
    assert row["token-journey"] == "2.33"
    assert f"rms_norm: 2 of 6 checks hold ({norm})" in row["token-journey (feedback)"]
    assert all(row.values())


def test_canvas_gets_its_own_columns_and_the_possible_points(tmp_path):
    roster = [Student("Soler, Maria", "S47", "m@x.es", "msoler", "9")]
    rows = rows_of(tmp_path, result("solermaria", "9"), roster=roster)
    possible, maria = table(canvas(rows))
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "token-journey"]
    assert list(possible) == head
    assert possible["Student"].strip() == "Points Possible" and possible["token-journey"] == "10"
    assert list(maria.values()) == ["Soler, Maria", "9", "S47", "msoler", "", "10"]


def test_junit(tmp_path):
    bad = result("Ann\x00\ufffe <b>", right=4, mistake="a \x1b[31m <cause> ]]>")
    out = export("junit", rows_of(tmp_path, bad), COURSE, tmp_path)
    (file,) = out.iterdir()
    suites = ElementTree.parse(file).getroot()
    assert len(suites) == 10
    assert sum(len(suite) for suite in suites) == 60
    assert sum(int(suite.get("failures")) for suite in suites) == 4 + 5 * 6
    assert not suites.findall(".//skipped")
    assert "<cause>" in suites.find(".//failure").get("message")


def test_gradescope_says_it_as_its_specification_has_it(tmp_path):
    out = export("gradescope", made_up_class(tmp_path, 20), COURSE, tmp_path)
    for file in out.iterdir():
        jsonschema.validate(json.loads(file.read_text("utf-8")), SPECIFICATION)


def test_gradescope_hides_what_is_held_back(tmp_path):
    secret = result(right=2, mistake="m", held_back=["mine"])
    norm = secret.stages[2]
    norm.passed.append("test_x[mine-p1]")
    norm.failed.append(FailedCheck("test_y[mine-p2]", "secret", "the secret number is 7", False))
    (row,) = rows_of(tmp_path, secret)
    told = gradescope(row, one_each(STAGES))
    jsonschema.validate(told, SPECIFICATION)
    (hidden,) = (test for test in told["tests"] if test["visibility"] == "hidden")
    assert hidden["number"] == "3.1" and hidden["output"] == "1 of 2 checks hold."
    (shown,) = (test for test in told["tests"] if test["number"] == "3")
    assert shown["score"] == 0.33 and "2 of 6" in shown["output"]
    assert "secret" not in json.dumps(told)
    assert told["score"] == float(Decimal("2.38"))


def test_feedback_names_nobody_else(tmp_path):
    norm = next(iter(mistakes(COURSE, STAGES[2])))
    names = ["Maria <i>Solér</i>", "Pau O'Brien", "Ann"]
    made = [result(name, right=2, mistake=norm) for name in names]
    out = export("feedback", rows_of(tmp_path, *made), COURSE, tmp_path)
    pages = [file.read_text("utf-8").partition("<body>")[2] for file in out.iterdir()]
    assert len(pages) == 3
    maria = next(page for page in pages if "Maria" in page)
    assert "Ann" not in maria and "O'Brien" not in maria and "Pau" not in maria
    assert "<i>" not in maria.replace('<i style="width', "")
    assert "<b>so</b>" not in maria and "Read again" in maria and "<blockquote>" in maria


def test_a_name_twice_is_two_files(tmp_path):
    rows = rows_of(tmp_path, result("Ann", "1"), result("Ann", "2"), result("安"), result("李"))
    out = export("feedback", rows, COURSE, tmp_path)
    assert len(list(out.iterdir())) == 4
    assert all(file.name.isascii() for file in out.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_what_can_not_be_written_leaves_what_was_there(name, tmp_path):
    rows = rows_of(tmp_path, result())
    there = export(name, rows, COURSE, tmp_path / "out")
    before = {f: f.read_bytes() for f in there.rglob("*")} if there.is_dir() else there.read_bytes()
    (tmp_path / "file").write_text("")
    with pytest.raises(ClassError, match="can't be written"):
        export(name, rows, COURSE, tmp_path / "file")
    after = {f: f.read_bytes() for f in there.rglob("*")} if there.is_dir() else there.read_bytes()
    assert before == after and sorted(os.listdir(tmp_path / "out")) == [there.name]


def test_a_stage_that_is_worth_nothing_divides_nothing(tmp_path):
    points = {stage.name: Worth(Decimal(0)) for stage in STAGES}
    rows = rows_of(tmp_path, result(), points=points)
    for name in NAMES:
        export(name, rows, COURSE, tmp_path)


# -- the autograder ---------------------------------------------------------------------------


@pytest.fixture
def autograder(tmp_path):
    """As Gradescope lays it out, before anything is handed in."""
    (tmp_path / "points.csv").write_text("stage,points,give\n3,5,all\n4,1,share\n")
    write_autograder(tmp_path / "autograder.zip", COURSE, tmp_path / "points.csv", [])
    home = tmp_path / "autograder"
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        archive.extractall(home / "source")
        modes = {e.filename: stat.S_IMODE(e.external_attr >> 16) for e in archive.infolist()}
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    (home / "source" / "run_autograder").rename(home / "run_autograder")
    (home / "run_autograder").chmod(0o755)
    for folder in ("submission", "results"):
        (home / folder).mkdir()
    (home / "submission_metadata.json").write_text("{}")
    return home


def run_autograder(home):
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [home / "run_autograder"], cwd="/", env={**clean, "PYTHON": sys.executable}, check=False
    )
    assert done.returncode == 0
    told = json.loads((home / "results" / "results.json").read_text("utf-8"))
    jsonschema.validate(told, SPECIFICATION)
    return told


def test_an_autograder_of_nothing_says_so(autograder):
    told = run_autograder(autograder)
    assert told["score"] == 0 and told["output"] == "no stage was handed in"


def test_its_scripts_are_bash(autograder):
    for script in (autograder / "run_autograder", autograder / "source" / "setup.sh"):
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.slow
def test_an_autograder_grades(autograder):
    for name in ("s03_rms_norm.py", "s04_rope.py"):
        source = (COURSE.reference / name).read_text("utf-8")
        if name.startswith("s04"):
            source += "\n\ndef apply_rope(x, cos, sin):\n    return x\n"
        (autograder / "submission" / name).write_text(source, "utf-8")
    told = run_autograder(autograder)
    found = {test["number"]: test for test in told["tests"]}
    assert found["3"]["score"] == 5 and found["3"]["status"] == "passed"
    assert 0 < found["4"]["score"] < 1 and found["4"]["status"] == "failed"
    assert found["5"]["score"] == 0 and "is not here" in found["5"]["output"]
    assert told["score"] == 5 + found["4"]["score"] and told["execution_time"] > 0
