"""Real kernels run real notebooks: the kata as it is written, filled in, and with violent cells."""

import re

import pytest
from notebooks import COURSE, NORM, filled, html, is_code, notebook, run, shipped, shown, solution

TITLES = [stage.title for stage in COURSE.stages()]
HEAD = "%%stage rms_norm\nimport os, ctypes\n\ndef rms_norm(x, weight, eps):\n"
# Of each a word of what is said of it.
VIOLENT = {
    "    while True:\n        pass\n": "did not end in time and was stopped at line",
    "    ctypes.string_at(0)\n": "SIGSEGV",
    "    os._exit(3)\n": "ended the program at line 5 of your cell",
    "    return y\n": "NameError at line 5 of your cell",
    "    breakpoint()\n": "nobody can type",
}


@pytest.mark.slow
@pytest.mark.exam
def test_the_kata_as_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "nothing was fetched"))
    kata = shipped()
    ran = run(kata, tmp_path)
    stages = [said for first, said in ran if first.startswith("%%stage ")]
    assert len(stages) == 10 and all("to do" in said and "✗" not in said for said in stages)
    assert ran[-1][0] == "%journey" and ran[-1][1].count("to do") == 10
    shapes = [said for first, said in ran if first.startswith("%%stage_shapes")]
    assert shapes and all("question mark" in said for said in shapes)
    walks = {first: said for first, said in ran if first.startswith("%walk")}
    assert len(walks) == 10 and "γ ⊙ x / RMS(x)" in walks["%walk rms_norm"]
    assert "No stage is yours yet" in walks["%walk rms_norm"]
    assert not any(said.startswith("✗") for said in walks.values())
    assert sorted(f.name for f in (tmp_path / "exercises").glob("s*")) == [
        stage.file for stage in COURSE.stages()
    ]


@pytest.mark.slow
def test_filled_with_the_solutions_all_is_green(tmp_path):
    kata = filled()
    ran = run(kata, tmp_path)
    stages = dict(zip(TITLES, (s for f, s in ran if f.startswith("%%stage ")), strict=True))
    for title, said in stages.items():
        assert re.search(rf"{title} .*█{{24}} .*done", said), said
        assert "✗" not in said
    assert ran[-1][1].count("done") == 10 and "All ten stages are right" in ran[-1][1]
    cell = next(c for c in kata.cells if c.source.startswith("%%stage rms_norm"))
    assert "<table" in html(cell) and ">done<" in html(cell)


@pytest.mark.slow
def test_violent_cells_end_themselves_alone(tmp_path):
    """In a kernel that has torch, and threads of it."""
    torch = "import sys, torch\nsys.path.insert(0, '')\nalive = 7\n"
    torch += "(torch.ones(500, 500) @ torch.ones(500, 500)).sum()"
    wrong = "%%stage rms_norm\n%timeit x"
    cells = [torch, wrong, *(HEAD + body for body in VIOLENT)]
    right = f"%%stage rms_norm\n{solution(NORM)}"
    mine = "from exercises.s03_rms_norm import rms_norm\n"
    mine += "rms_norm(torch.tensor([1.0, 7.0]), torch.ones(2), 24.0)"
    ran = run(
        made := notebook(*cells, mine.partition("\n")[0], "%stage_hint", right, mine, "alive"),
        tmp_path,
    )
    assert "is for a notebook and not Python" in ran[2][1]
    for word, (_, said) in zip(VIOLENT.values(), ran[3:-5], strict=True):
        assert "✗" in said and word in said
    assert "Hint 1 of 3 for `rms_norm`" in ran[-4][1]
    assert "done" in ran[-3][1] and ran[-1][1] == "7"
    assert ran[-2][1] == "tensor([0.1429, 1.0000])"  # not the one that was imported before
    failed = next(cell for cell in made.cells if "while True" in cell.source)
    assert html(failed).count("<details open>") == 1


def test_what_can_go_wrong_is_a_sentence_and_stops_nothing(tmp_path):
    asked = {
        "%%stage nix\nx = 1": "No stage is called 'nix'",
        "%%stage\nx = 1": "Which stage?",
        "%stage_hint 3 nix": "has no 'nix'",
        "%stage_hint 99": "No stage is called '99'",
        "%%stage_shapes 1\nx": "question mark",
        "%walk": "published figures",
        "%stage_hint 3": "Hint 1 of 3",
        "%journey": "Your stages in exercises",
    }
    made = notebook(*asked)
    run(made, tmp_path)
    for cell, said in zip([c for c in made.cells if is_code(c)][1:], asked.values(), strict=True):
        assert said in shown(cell)
        assert not any(output.output_type == "error" for output in cell.outputs)
