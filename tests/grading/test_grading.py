"""What grading says and decides: rows, exit codes, whose fault, and pytest's own options."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import rewrites_in
from token_journey.course.stubs import make_stub

pytestmark = pytest.mark.slow

COURSE = find_course()
STAGES = [stage.name for stage in COURSE.stages()]
# Which stages build on which, by hand: what a broken one must not turn red.
BUILT_ON = {
    "s02_embed": {"s07_decoder"},
    "s03_rms_norm": {"s07_decoder", "s08_lm_head"},
    "s04_rope": {"s05_attention", "s07_decoder"},
    "s05_attention": {"s07_decoder"},
    "s06_swiglu": {"s07_decoder"},
    "s07_decoder": {"s10_generate"},
    "s08_lm_head": {"s10_generate"},
    "s09_softmax": {"s10_generate"},
}


@pytest.fixture
def solved(tmp_path):
    return shutil.copytree(COURSE.reference, tmp_path / "maria")


def break_stage(folder, stage, place=0):
    """Write one of the stage's misconceptions into its file."""
    mistakes = rewrites_in(Implementation(COURSE.checks / "misconceptions").module(stage))
    file = folder / f"{stage}.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(f"{source}\n\n{mistakes[place].source}", encoding="utf-8")


def stub(folder, *stages):
    for stage in stages:
        file = folder / f"{stage}.py"
        file.write_text(make_stub(file.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize("stage", STAGES)
def test_a_broken_stage_turns_only_its_own_row_red(stage, solved):
    break_stage(solved, stage)
    graded = grade(solved)
    red = {about["stage"] for about in graded.reports if about["kind"] == "failed"}
    assert red == {stage}
    assert graded.exit_code == 1


UNKNOWN = {  # no misconception of the bank, nor any general transformation
    "softmax": (
        "s09_softmax",
        "def softmax(logits, dim=-1):\n"
        "    weights = (logits - logits.amax(dim=dim, keepdim=True)).exp() + 0.1\n"
        "    return weights / weights.sum(dim=dim, keepdim=True)\n",
    ),
    "attention_pattern": (
        "s05_attention",
        "def attention_pattern(q, k, mask):\n"
        "    scores = (q @ k.mT / math.sqrt(q.shape[-1])).sin()\n"
        "    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)\n",
    ),
    "next_logits": (
        "s10_generate",
        "_right = next_logits\n\n\n"
        "def next_logits(token_ids, weights, config, caches):\n"
        "    logits = _right(token_ids, weights, config, caches)\n"
        "    return logits + torch.arange(len(logits)).remainder(3)\n",
    ),
}


@pytest.mark.parametrize("function", UNKNOWN)
def test_where_no_mistake_is_known_its_function_is_told(function, solved):
    stage, source = UNKNOWN[function]
    file = solved / f"{stage}.py"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n\n{source}", encoding="utf-8")
    graded = grade(file)
    messages = [" ".join(message.split()) for message in graded.messages]
    told = [m.partition("The mistake lies in `")[2].partition("`")[0] for m in messages]
    assert set(told) <= {function, ""}
    known = "No mistake known to this course gives just these numbers. The mistake lies in"
    assert any(known in message for message in messages)


def test_two_wrong_functions_are_not_laid_on_one(solved):
    file = solved / "s09_softmax.py"
    wrong = "\n\n".join(
        f"_{name} = {name}\n\n\ndef {name}(x, {other}):\n    return _{name}(x.sin(), {other})\n"
        for name, other in (("apply_temperature", "temperature"), ("keep_top_k", "k"))
    )
    file.write_text(f"{file.read_text(encoding='utf-8')}\n\n{wrong}", encoding="utf-8")
    graded = grade(file, options=("-k", "test_real_chain"))
    assert graded.exit_code == 1
    assert not any("The mistake lies in" in message for message in graded.messages)


@pytest.mark.parametrize("stage", BUILT_ON)
def test_stages_that_build_on_a_stub_say_which_to_write(stage, solved):
    stub(solved, stage)
    graded = grade(solved)
    assert graded.kinds(stage) == {"todo"}
    for other in STAGES:
        if other != stage:
            assert graded.kinds(other) == {"passed"}, other
    for other in BUILT_ON[stage]:
        blamed = {m for about in graded.reports if about["stage"] == other for m in about["mend"]}
        assert blamed == {stage}, other
    number = int(stage[1:3])
    assert f"right; it works once stage {number} is right, too" in graded.output


def test_a_wrong_stage_on_a_stub_is_still_wrong(solved):
    stub(solved, "s03_rms_norm")
    break_stage(solved, "s07_decoder")
    graded = grade(solved)
    assert graded.kinds("s03_rms_norm") == {"todo"}
    assert "failed" in graded.kinds("s07_decoder")


def test_a_stage_alone_in_a_folder(tmp_path):
    shutil.copy(COURSE.reference / "s07_decoder.py", tmp_path)
    graded = grade(tmp_path)
    assert graded.kinds("s07_decoder") == {"passed"}


def test_stubs_take_one_quiet_line_each(solved):
    stub(solved, *STAGES)
    graded = grade(solved)
    assert graded.exit_code == 1
    assert {about["kind"] for about in graded.reports} == {"todo"}
    assert "NotImplementedError" not in graded.output
    assert graded.output.count("to do") >= len(STAGES)
    assert "Next: write stage 1" in graded.output
    lines = [line for line in graded.output.splitlines() if "to do" in line]
    assert len(lines) == len(STAGES) + 1  # a row each, and pytest's closing line


def test_right_is_exit_code_0_and_says_so(solved):
    graded = grade(solved)
    assert graded.exit_code == 0
    assert "All that was asked for is right." in graded.output


def test_two_folders_never_mix(solved, tmp_path):
    other = shutil.copytree(COURSE.reference, tmp_path / "joan")
    break_stage(other, "s03_rms_norm")
    graded = grade(solved, other)
    red = {about["path"] for about in graded.reports if about["kind"] == "failed"}
    assert len(red) == 1
    assert red.pop().endswith("joan")


def test_one_file_is_one_stage(solved):
    graded = grade(solved / "s05_attention.py")
    assert {about["stage"] for about in graded.reports} == {"s05_attention"}


# -- pytest's own options -----------------------------------------------------


def run(folder, *options):
    """`pytest FOLDER OPTIONS` in a process of its own; its exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(folder), *options],
        capture_output=True,
        text=True,
        cwd=COURSE.home,
    )
    return done.returncode, done.stdout + done.stderr


def test_k_selects(solved):
    graded = grade(solved, options=("-k", "rms_norm and bfloat16"))
    assert {about["check"] for about in graded.reports} == {"test_bfloat16"}
    assert {about["stage"] for about in graded.reports} == {"s03_rms_norm"}


def test_x_stops_at_the_first_failure(solved):
    break_stage(solved, "s03_rms_norm")
    graded = grade(solved, options=("-x",))
    assert [about["kind"] for about in graded.reports].count("failed") == 1


def test_lf_runs_what_failed(solved):
    break_stage(solved, "s03_rms_norm")
    cache = ("-o", f"cache_dir={solved.parent / 'cache'}")
    _, first = run(solved, *cache)
    _, again = run(solved, "--lf", *cache)
    assert "10  generate" in first
    assert "10  generate" not in again
    assert "3  rms_norm" in again


def test_n_grades_on_several_processes(solved):
    break_stage(solved, "s03_rms_norm")
    code, output = run(solved, "-n", "2")
    assert code == 1
    assert "3  rms_norm" in output and "10  generate" in output
    assert output.count("It looks as if") <= 4
    alone = grade(solved)
    assert alone.output.splitlines()[-3:][0].strip() in output or "checks hold" in output


def test_junitxml(solved, tmp_path):
    break_stage(solved, "s03_rms_norm")
    stub(solved, "s02_embed")
    file = tmp_path / "grade.xml"
    graded = grade(solved, options=(f"--junitxml={file}",))
    suite = ElementTree.parse(file).getroot().find("testsuite")
    bad = [about for about in graded.reports if about["kind"] != "passed"]
    assert int(suite.get("failures")) == len(bad)
    assert int(suite.get("skipped")) == 0


def test_grading_from_another_directory(solved, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "maria/s03_rms_norm.py", "-q"],
        capture_output=True,
        text=True,
        cwd=solved.parent,
    )
    assert done.returncode == 0, done.stdout
    assert "3  rms_norm" in done.stdout


def test_nothing_of_a_run_is_left_behind(solved):
    before = set(sys.modules)
    grade(solved)
    left = {name for name in set(sys.modules) - before if name.startswith("_implementation_")}
    assert not left


def test_reports_are_plain_data(solved):
    """A grade can be written down: by a grader of a class, or to another process."""
    break_stage(solved, "s03_rms_norm")
    json.dumps(grade(solved).reports)
