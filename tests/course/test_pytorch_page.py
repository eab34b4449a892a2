"""docs/pytorch-you-need.md: its examples are right, and it forbids what the checks forbid."""

import ast
import doctest
import io
import re

import pytest

from token_journey.course import lessons
from token_journey.course.course import find_course
from token_journey.course.stage import Stage

COURSE = find_course()
PAGE = COURSE.torch_page.read_text(encoding="utf-8")
each_stage = pytest.mark.parametrize("stage", COURSE.stages(), ids=lambda stage: stage.name)
# By which names torch calls what a learner would call otherwise.
INSIDE = {"fused_rms_norm", "native_layer_norm", "special_softmax"}


def test_its_examples_are_right():
    text = re.sub(r"^```.*$", "", PAGE, flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, "page", None, 0)
    said = io.StringIO()
    result = doctest.DocTestRunner(verbose=False).run(examples, out=said.write)
    assert result.failed == 0, said.getvalue()
    assert result.attempted > 40


def test_every_example_is_in_python_s_fences():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert PAGE.count(">>> ") == sum(block.count(">>> ") for block in blocks)


def row(stage: Stage) -> list[str]:
    (found,) = re.findall(rf"^\| {stage.number} {stage.title} \|(.*)\|(.*)\|$", PAGE, re.MULTILINE)
    return found


def answers(stage: Stage) -> set[str]:
    """The functions that the stage's checks know as the answer."""
    tree = ast.parse((COURSE.checks / f"check_{stage.name}.py").read_bytes())
    (written,) = (
        node for node in tree.body if getattr(node, "name", "") == "test_written_not_borrowed"
    )
    found = set()
    for node in ast.walk(written):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "answers":
            found |= set(ast.literal_eval(node.value))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "expect_written":
            found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return found - INSIDE


@each_stage
def test_it_forbids_what_the_checks_forbid(stage):
    useful, forbidden = row(stage)
    assert set(re.findall(r"`(\w+)`", forbidden)) - {"generate"} == answers(stage)
    assert not set(re.findall(r"`(\w+)`", useful)) & answers(stage)


@each_stage
def test_each_lesson_points_at_it(stage):
    assert "docs/pytorch-you-need.md" in lessons.lesson(COURSE, stage)


def test_its_links_lead_somewhere():
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#(.+?)\)", PAGE)) == anchors
