"""The course is in step with itself: stubs, lessons, solutions, checks, and who knows whom."""

import ast
import doctest
import io
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.lessons import hints
from token_journey.course.stage import Stage
from token_journey.course.stubs import functions, is_written, make_stub, write_stubs

COURSE = find_course()
STAGES = sorted(file.stem for file in COURSE.reference.glob("*.py") if Stage.of_file(file))
PARTS = ["What goes in, what comes out", "Formula", "By hand", "Why", "What goes wrong"]

STDLIB = set(sys.stdlib_module_names)
FOR_STAGES = STDLIB | {"torch", "einops", "jaxtyping"}
FOR_CHECKS = FOR_STAGES | {"numpy", "pytest", "token_journey"}
SLOW_TO_IMPORT = {"transformers", "tokenizers", "accelerate", "gguf"}


def solution(stage: str) -> str:
    return (COURSE.reference / f"{stage}.py").read_text(encoding="utf-8")


def each_stage(test):
    return pytest.mark.parametrize("stage", STAGES)(test)


def test_ten_stages():
    assert [Stage(name).number for name in STAGES] == list(range(1, 11))
    assert [stage.name for stage in COURSE.stages()] == STAGES, "a stage has no check file"


# -- stubs --------------------------------------------------------------------


def outline(source: str) -> set[tuple[str, ...]]:
    """Lesson, signatures and docstrings: what a learner leaves as it is."""
    tree = ast.parse(source)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        ("the lesson", ast.get_docstring(tree) or ""),
        *((f"class {c.name}", ast.get_docstring(c) or "") for c in classes),
        *(
            (f.name, ast.unparse(f.args), ast.unparse(f.returns or []), ast.get_docstring(f) or "")
            for f in functions(tree)
        ),
    }


@each_stage
def test_the_exercise_is_the_stub_of_the_solution(stage):
    file = COURSE.exercises / f"{stage}.py"
    name = file.relative_to(COURSE.home)
    found, stub = file.read_text(encoding="utf-8"), make_stub(solution(stage))
    if found == stub:
        return
    assert is_written(found), f"{name} is not the stub of its solution: run `make stubs`."
    try:
        changed = sorted(about[0] for about in outline(stub) - outline(found))
    except SyntaxError as error:
        pytest.fail(f"Python can't read {name}:{error.lineno}: {error.msg}.", pytrace=False)
    assert not changed, f"{name} differs from its stub in more than bodies: {', '.join(changed)}."
    warnings.warn(f"{name} is written in: only its outline was compared.", stacklevel=1)


@pytest.fixture(scope="module")
def graded_stubs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stubs")
    assert write_stubs(COURSE.reference, folder) == []
    return grade(folder)


@each_stage
def test_every_check_of_a_stub_is_to_do(graded_stubs, stage):
    assert graded_stubs.exit_code == 1
    verdicts = [about for about in graded_stubs.reports if about["stage"] == stage]
    assert verdicts, f"nothing checks {stage}"
    assert [v["check"] for v in verdicts if v["kind"] != "todo"] == []


# -- solutions ----------------------------------------------------------------

SPY = """
import json, os, sys

verdicts = []

def pytest_runtest_logreport(report):
    about = getattr(report, "token_journey", None)
    if about is not None:
        verdicts.append([about["stage"], about["kind"]])

def pytest_unconfigure():
    with open(os.environ["SPY"], "w") as file:
        json.dump({"modules": sorted(sys.modules), "verdicts": verdicts}, file)
"""


@pytest.fixture(scope="module")
def graded_solutions(tmp_path_factory):
    """What `pytest solutions/` prints, decides and imports, in a process of its own."""
    folder = tmp_path_factory.mktemp("spy")
    (folder / "spy.py").write_text(SPY, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    seen = folder / "seen.json"
    environment.update(PYTHONPATH=str(folder), SPY=str(seen))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", COURSE.reference.name, "-q", "-p", "spy"],
        cwd=COURSE.home,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert seen.is_file(), run.stdout + run.stderr
    return run, json.loads(seen.read_text(encoding="utf-8"))


def test_every_solution_passes_every_check(graded_solutions):
    run, seen = graded_solutions
    assert run.returncode == 0, run.stdout
    assert {stage for stage, _ in seen["verdicts"]} == set(STAGES)
    assert {kind for _, kind in seen["verdicts"]} == {"passed"}


def test_grading_imports_nothing_slow(graded_solutions):
    _, seen = graded_solutions
    loaded = {module.partition(".")[0] for module in seen["modules"]}
    assert "torch" in loaded
    assert loaded & SLOW_TO_IMPORT == set()


@each_stage
def test_every_check_says_what_it_asks(stage):
    """A failure begins with the docstring of its check."""
    source = COURSE.check_file(Stage(stage)).read_text(encoding="utf-8")
    checks = [f for f in functions(ast.parse(source)) if f.name.startswith("test_")]
    assert [check.name for check in checks if not ast.get_docstring(check)] == []


# -- lessons ------------------------------------------------------------------


def lesson(stage: str) -> str:
    return ast.get_docstring(ast.parse(solution(stage))) or ""


@each_stage
def test_the_lesson_has_its_parts(stage):
    text = lesson(stage)
    assert re.fullmatch(rf"Stage {Stage(stage).number} · .+: .+\.", text.partition("\n")[0])
    title, *parts = re.split(r"^(.+)\n-+$", text, flags=re.MULTILINE)
    headings, bodies = parts[::2], parts[1::2]
    assert headings in (PARTS, [*PARTS, "Words"])
    assert all(body.strip() for body in [title, *bodies])
    why = bodies[headings.index("Why")]
    assert re.search(r"\b(19|20)\d\d\b", why) and re.search(r"arXiv\s+\d{4}\.\d{4,5}\b", why)


@each_stage
def test_the_example_by_hand_is_right(stage):
    module = Implementation(COURSE.reference).module(stage)
    by_hand = lesson(stage).partition("\nBy hand\n")[2].partition("\nWhy\n")[0]
    example = doctest.DocTestParser().get_doctest(by_hand, dict(vars(module)), stage, None, 0)
    said = io.StringIO()
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.write)
    assert result.failed == 0, said.getvalue()
    called = set(re.findall(r"\b(\w+)\(", "".join(e.source for e in example.examples)))
    written = {f.name for f in ast.parse(solution(stage)).body if isinstance(f, ast.FunctionDef)}
    assert called & written, "the example calls nothing that the learner writes"


@each_stage
def test_the_lesson_does_not_give_the_code_away(stage):
    said = make_stub(solution(stage))
    assert [line for line in code_of(stage) if len(line) > 15 and line in said] == []


def code_of(stage: str) -> set[str]:
    """Every line of a solution's functions."""
    bodies = [s for f in functions(ast.parse(solution(stage))) for s in f.body[1:]]
    return {line.strip() for s in bodies for line in ast.unparse(s).splitlines()}


# -- hints --------------------------------------------------------------------


@each_stage
def test_every_function_has_three_hints(stage):
    """In the order of the lesson; each is written, and fits into a terminal of 60 columns."""
    tree = ast.parse(solution(stage))
    classes = {
        id(f): f"{c.name}." for c in tree.body if isinstance(c, ast.ClassDef) for f in c.body
    }
    names = [classes.get(id(f), "") + f.name for f in functions(tree)]
    found = hints(COURSE, Stage(stage))
    assert list(found) == names
    for about in found.values():
        assert all(len(step) > 40 for step in about.steps)
        assert "?" in about.question
        assert all(len(line) <= 60 for step in about.steps for line in step.splitlines())


@each_stage
def test_no_hint_gives_the_code_away(stage):
    """No line of the solution, however it is spaced, and no part of one that is worth copying."""
    packed = {"".join(line.split()) for line in code_of(stage)}
    lines = {part for line in packed for part in (line, line.partition("=")[2]) if len(part) > 12}
    for function, about in hints(COURSE, Stage(stage)).items():
        said = "".join("".join(about.steps).split())
        assert [line for line in lines if line in said] == [], function


# -- no file is stray ---------------------------------------------------------


def names_in(folder: Path) -> set[str]:
    """What lies in a folder, but for what editors, Python and `make reset` leave there."""
    return {
        entry.name
        for entry in folder.iterdir()
        if not entry.name.startswith((".", "__pycache__")) and not entry.name.endswith(".old.py")
    }


@pytest.mark.parametrize(
    "folder",
    [
        COURSE.exercises,
        COURSE.reference,
        COURSE.checks / "misconceptions",
        COURSE.home / "tests" / "course" / "variants",
    ],
    ids=lambda folder: str(folder.relative_to(COURSE.home)),
)
def test_one_file_a_stage_and_nothing_else(folder):
    patterns = {"patterns.json"} if folder.name == "misconceptions" else set()
    assert names_in(folder) == {f"{stage}.py" for stage in STAGES} | patterns


def test_one_file_of_hints_a_stage():
    assert names_in(COURSE.checks / "hints") == {f"{stage}.toml" for stage in STAGES}


def test_no_stray_check():
    """Beside a check file for every stage: what checks import, the costs, the mistakes."""
    expected = {f"check_{stage}.py" for stage in STAGES}
    helpers = {
        f"{name[1:]}.py"
        for file in COURSE.checks.glob("*.py")
        for name in imports(file)
        if name.startswith(".")
    }
    costs = {file.name for file in COURSE.checks.glob("cost*.py")}
    assert names_in(COURSE.checks) == expected | helpers | costs | {"misconceptions", "hints"}


# -- who may know whom --------------------------------------------------------


def imports(file: Path) -> set[str]:
    """The modules that a file imports, a relative one with its dots: `.s03_rms_norm`."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {f"{dots}{module}" for module in modules}
    return found


def packages(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names if not name.startswith(".")}


@each_stage
def test_a_solution_knows_only_earlier_stages(stage):
    known = imports(COURSE.reference / f"{stage}.py")
    assert packages(known) - FOR_STAGES == set()
    earlier = {f".{name}" for name in STAGES if name < stage}
    assert {name for name in known if name.startswith(".")} - earlier == set()


@pytest.mark.parametrize(
    "file", sorted(COURSE.checks.rglob("*.py")), ids=lambda f: str(f.relative_to(COURSE.checks))
)
def test_a_check_knows_no_implementation(file):
    known = imports(file)
    assert packages(known) - FOR_CHECKS == set()
    beside = {f".{other.stem}" for other in file.parent.glob("*.py")}
    assert {name for name in known if name.startswith(".")} - beside == set()


@pytest.mark.parametrize(
    "file", sorted((COURSE.home / "token_journey").rglob("*.py")), ids=lambda file: file.name
)
def test_the_kit_knows_no_folder_of_the_course(file):
    folders = {COURSE.exercises.name, COURSE.reference.name, COURSE.checks.name, "tests"}
    assert packages(imports(file)) & (folders | set(STAGES)) == set()
