"""Stages out of a notebook, of which nothing is run."""

import json

import pytest

from token_journey.course.course import find_course
from token_journey.course.notebook_cells import imports_of, stage_cells
from token_journey.course.stubs import make_stub

COURSE = find_course()
STAGES = COURSE.stages()
IMPORTS = {
    stage: imports_of(make_stub((COURSE.reference / stage.file).read_text("utf-8")))
    for stage in STAGES
}


def cells(*sources, **more):
    notebook = {"cells": [{"cell_type": "code", "source": each} for each in sources], **more}
    return stage_cells(json.dumps(notebook).encode(), STAGES, IMPORTS)


@pytest.mark.parametrize("name", ["rms_norm", "s03_rms_norm", "s03_rms_norm.py", "3", " RMS_NORM "])
def test_a_stage_may_be_called_by_any_of_its_names(name):
    found = cells(f"%%stage {name}\ndef rms_norm(x, weight, eps):\n    return x\n")
    (stage,) = found.sources
    assert stage.name == "s03_rms_norm" and not found.remarks


def test_line_five_of_the_file_is_line_five_of_the_cell():
    found = cells(["%%stage attention\n", "\n", "import math\n", "\n", "here = math.pi\n"])
    (source,) = found.sources.values()
    assert source.splitlines()[4] == "here = math.pi"


def test_the_imports_of_the_stub_are_there_and_a_future_import_comes_first():
    body = "from __future__ import annotations\ndef rms_norm(x: Float[Tensor, 'D'], w, e): ..."
    (source,) = cells(f"%%stage rms_norm\n{body}").sources.values()
    names = {}
    exec(compile(source, "cell", "exec"), names)
    assert {"Float", "Tensor", "rms_norm"} <= names.keys()


def test_the_last_cell_of_a_stage_counts_and_that_is_said():
    found = cells("%%stage 3\nfirst = 1", "x = 1", "%%stage 3\nlast = 1")
    (source,) = found.sources.values()
    assert "last" in source and "first" not in source
    assert found.remarks == ("the last cell of a stage counts: rms_norm",)


@pytest.mark.parametrize("line", ["%timeit f()", "  !pip install x", "%%bash", "help(torch)?"])
def test_what_is_for_a_notebook_is_refused_in_a_sentence(line):
    found = cells(f"%%stage rms_norm\ndef rms_norm(): ...\n{line}\n")
    assert not found.sources
    (remark,) = found.remarks
    assert line.strip() in remark and "put such lines into another cell" in remark


def test_python_is_not_refused():
    source = "x = (7\n  % 4)\ny = (x\n  != 4)\nz = 'why?'  # really"
    assert len(cells(f"%%stage rms_norm\n{source}").sources) == 1


def test_other_cells_are_left_alone():
    notebook = {"cells": [{"cell_type": "markdown", "source": "%%stage rms_norm\nno"}]}
    assert not stage_cells(json.dumps(notebook).encode(), STAGES, IMPORTS).sources
    assert cells("!pip install torch", "%matplotlib inline") == cells()


@pytest.mark.parametrize(
    "broken", [b"", b"[]", b"{}", b'{"cells": 1}', b'{"cells": [1]}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_notebook_is_said(broken):
    found = stage_cells(broken, STAGES, IMPORTS)
    assert not found.sources
    assert found.remarks == ("it can't be read as a notebook: save it again, as .ipynb",)
