"""`token-journey notebook`: kata.ipynb, from the lessons and stubs."""

import ast
import json

import nbformat
import pytest
from notebooks import COURSE, shipped

from token_journey.commands.main import main
from token_journey.commands.notebook import notebook
from token_journey.course.kata_notebook import in_markdown
from token_journey.course.lessons import lesson
from token_journey.course.stubs import lesson_of, stub_of


def test_it_is_a_notebook_with_ten_lessons_and_ten_cells(tmp_path, capsys):
    assert main(["notebook", str(tmp_path / "new")]) == 0
    made = nbformat.read(tmp_path / "new" / "kata.ipynb", as_version=4)
    nbformat.validate(made)
    firsts = [cell.source.partition("\n")[0] for cell in made.cells]
    assert [f for f in firsts if f.startswith("%%stage ")] == [
        f"%%stage {stage.title}" for stage in COURSE.stages()
    ]
    assert sum(f.startswith("## Stage ") for f in firsts) == 10
    assert "kata.ipynb is written" in capsys.readouterr().out


def test_a_cell_is_the_stub_below_its_lesson():
    cells = {c.source.partition("\n")[0]: c.source for c in shipped().cells}
    for stage in COURSE.stages():
        stub = stub_of(stage, COURSE.reference)
        cell = cells[f"%%stage {stage.title}"].partition("\n")[2]
        assert stub == f"{lesson_of(stub)}\n\n{cell}\n"


def test_a_notebook_that_is_there_is_left_alone(tmp_path, capsys):
    (tmp_path / "kata.ipynb").write_text("mine")
    assert main(["notebook", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "kata.ipynb").read_text() == "mine"


@pytest.mark.parametrize("kit", ["", "git+https://example.org/kit"])
def test_the_first_cell_installs_the_kit(kit):
    first = next(c for c in json.loads(notebook(COURSE, kit))["cells"] if c["cell_type"] == "code")
    source = "".join(first["source"])
    wanted = (
        f"token-journey[show] @ {kit}" if kit else "./token_journey-0.1.0-py3-none-any.whl[show]"
    )
    assert f'%pip install --quiet "{wanted}"' in source
    ast.parse(source.replace("%pip", "pass #"))


@pytest.mark.parametrize("stage", COURSE.stages(), ids=lambda stage: stage.title)
def test_a_lesson_loses_no_word_as_markdown(stage):
    written, made = lesson(COURSE, stage), in_markdown(lesson(COURSE, stage))
    plain = made.replace("```text", "").replace("```python", "").replace("\\", "")
    drop = str.maketrans("", "", "`#-\\")
    assert plain.translate(drop).split() == written.translate(drop).split()
    assert made.count("```") % 2 == 0
