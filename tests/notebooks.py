"""Notebooks for tests: cells, the kata filled in, and a kernel that runs them."""

import json

import nbformat
from nbclient import NotebookClient

from token_journey.commands import notebook as command
from token_journey.course.course import find_course
from token_journey.course.stage import Stage
from token_journey.course.stubs import lesson_of

COURSE = find_course()


def code(*sources):
    """A notebook with these code cells."""
    nothing = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [
        {**nothing, "id": f"cell-{number}", "source": source.splitlines(True)}
        for number, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def solution(stage):
    """A solution below its lesson."""
    source = (COURSE.reference / stage.file).read_text(encoding="utf-8")
    return source[len(lesson_of(source)) :].strip()


def solved(*names):
    """Stage cells with the reference in them."""
    stages = [s for s in COURSE.stages() if not names or s.title in names]
    return [f"%%stage {stage.title}\n{solution(stage)}" for stage in stages]


def shipped():
    return nbformat.reads(command.notebook(COURSE), as_version=4)


def filled():
    """The kata with every stage cell filled in, and without those that look at the walk."""
    notebook = shipped()
    for cell in notebook.cells:
        first = cell.source.partition("\n")[0]
        if first.startswith("%%stage "):
            name = first.split()[1]
            (stage,) = (s for s in COURSE.stages() if s.title == name)
            cell.source = f"{first}\n{solution(stage)}"
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("%walk")]
    return notebook


def notebook(*sources):
    """One to run, that loads the kit and then has these cells."""
    return nbformat.reads(json.dumps(code("%load_ext token_journey", *sources)), as_version=4)


def written(folder, name, *sources):
    file = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(code(*sources)), encoding="utf-8")
    return file


def run(notebook, folder):
    """Execute a notebook; what each code cell shows, as plain text, by its first line."""
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}})
    client.execute()
    return [
        (cell.source.partition("\n")[0], shown(cell)) for cell in notebook.cells if is_code(cell)
    ]


def is_code(cell):
    return cell.cell_type == "code"


def shown(cell):
    return "\n".join(output.get("text") or output["data"]["text/plain"] for output in cell.outputs)


def html(cell):
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)


NORM = Stage("s03_rms_norm")
