"""A cell becomes a file: nothing of a learner's is lost, and messages speak of the cell."""

import sys

import pytest
from notebooks import COURSE, NORM

from token_journey.course.kata import MARKER, stages_around
from token_journey.course.notebook_cells import line_for_a_notebook
from token_journey.course.stubs import lesson_of, stub_of, write_stubs
from token_journey.errors import UserError
from token_journey.notebook.cell import write_cell
from token_journey.notebook.predicted import judged
from token_journey.notebook.shown import text

MINE = "\ndef rms_norm(x, weight, eps):\n    return x\n"
LESSON = lesson_of(stub_of(NORM, COURSE.reference))
SHAPES = """
Aitana-2B-S   rms_norm(x (5, 2048), weight (2048,))  →  ?
SmolLM2-135M   rms_norm(x (5, 576), weight (576,))  →  ?"""


@pytest.fixture
def folder(tmp_path):
    write_stubs(COURSE.reference, tmp_path / "exercises")
    return tmp_path / "exercises"


def write(source, folder):
    return write_cell(NORM, source, folder, COURSE)


def test_the_lesson_stays_above_the_cell(folder):
    stub = (folder / NORM.file).read_text(encoding="utf-8")
    cell = write(MINE, folder)
    lines = cell.file.read_text(encoding="utf-8").split("\n")
    assert stub.startswith(LESSON) and "\n".join(lines[: cell.above]) == LESSON
    assert lines[cell.above].startswith("from jaxtyping import Float; from torch import Tensor")
    assert "\n".join(lines[cell.above + 1 :]) == MINE


def test_a_message_names_the_line_of_the_cell(folder):
    cell = write("x = 1\ny = nix\n", folder)
    lines = cell.file.read_text(encoding="utf-8").split("\n")
    there = lines.index("y = nix") + 1
    said = cell.in_cell(f"NameError at {NORM.file}:{there}, not s04_rope.py:5")
    assert said == "NameError at line 3 of your cell, not s04_rope.py:5"
    assert cell.in_cell(f"{NORM.file}:2") == f"{NORM.file}:2"  # in the lesson


def test_imports_of_the_future_come_first(folder):
    cell = write("from __future__ import annotations\nimport math\n", folder)
    compile(cell.file.read_text(encoding="utf-8"), "cell", "exec")


def test_a_file_written_by_hand_is_kept_for_good(folder):
    file = folder / NORM.file
    file.write_text("# by hand\n")
    assert write(MINE, folder).kept == folder / "s03_rms_norm.old.py"
    changed = file.read_text(encoding="utf-8") + "# and by hand again\n"
    file.write_text(changed, encoding="utf-8")
    assert write(MINE, folder).kept == folder / "s03_rms_norm.2.old.py"
    assert (folder / "s03_rms_norm.old.py").read_text() == "# by hand\n"
    assert (folder / "s03_rms_norm.2.old.py").read_text(encoding="utf-8") == changed


def test_of_a_cell_the_last_version_is_kept(folder):
    assert write(MINE, folder).kept is None  # there was nothing but the stub
    assert write(MINE, folder).kept is None
    for number in range(3):
        assert write(f"{MINE}# {number}\n", folder).kept is None
    last = folder / "s03_rms_norm.cell.old.py"
    assert last.read_text(encoding="utf-8").endswith(f"{MINE}# 1\n")
    assert sorted(folder.glob("s03*")) == [last, folder / NORM.file]
    (folder / "alone").mkdir()
    last.rename(folder / "alone" / last.name)
    assert not COURSE.holds_stages(folder / "alone")  # it is not taken for a stage


def test_who_imports_the_file_gets_the_new_one(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder.parent)
    for number in (1, 2):
        write(f"number = {number}\n", folder)
        from exercises.s03_rms_norm import number as imported

        assert imported == number
    for name in [name for name in sys.modules if name.startswith("exercises")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "line",
    [
        "%timeit f()",
        "!pip list",
        "f?",
        "?f",
        "%%time",
        "files = !ls",
        "x = %pwd",
        "    %timeit f()",
    ],
)
def test_lines_for_a_notebook_are_refused_in_a_sentence(line, folder):
    before = (folder / NORM.file).read_bytes()
    with pytest.raises(UserError, match="is for a notebook and not Python"):
        write(f"def f():\n    return 1\n{line}\n", folder)
    assert (folder / NORM.file).read_bytes() == before


@pytest.mark.parametrize(
    "source",
    [
        "# is this right?\nx = 1",
        '"""\n%timeit f\n"""',
        "x = (7\n  % y)",
        "if x != y:\n    pass",
        "def f(:",
        "why = '?'",
        'x = "\\d"',
        "\0",
        "(" * 1000,
    ],
)
def test_python_is_not_refused_right_or_wrong(source):
    assert line_for_a_notebook(source) is None


def test_the_reference_is_nobodys_folder():
    with pytest.raises(UserError, match="is the reference"):
        write(MINE, COURSE.reference)


def test_a_folder_that_is_a_file_is_said_in_a_sentence(tmp_path):
    (tmp_path / "exercises").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        write(MINE, tmp_path / "exercises")


def test_a_folder_without_stages_gets_them(tmp_path):
    (tmp_path / "kata.ipynb").write_text("{}")
    made = stages_around(tmp_path, COURSE)
    assert made == tmp_path / "exercises" and (tmp_path / MARKER).is_file()
    assert len([*made.glob("s*.py")]) == 10
    (tmp_path / "deep").mkdir()
    assert stages_around(tmp_path / "deep", COURSE) == made


# -- shapes that are predicted --------------------------------------------------


def test_shapes_are_judged_line_by_line():
    right = SHAPES.replace("?", "(5, 2048)", 1)
    said = repr(judged(COURSE, NORM, right))
    assert said.startswith("✓") and "Right: (5, 2048)" in said and "SmolLM2" not in said
    both = repr(judged(COURSE, NORM, right.replace("?", "5 7")))
    assert "✗ SmolLM2" in both and "Axis 2 is D" in both


def test_where_no_shape_is_typed_yet_it_is_said_how():
    assert repr(judged(COURSE, NORM, SHAPES)).startswith("Put a shape in the place of a question")


def test_nothing_that_is_shown_is_html_of_a_stranger():
    assert "<script>" not in text("<script>alert(1)</script>")._repr_html_()
