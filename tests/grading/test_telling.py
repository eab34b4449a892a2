"""What stands on the screen around the failures, and in which order."""

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.course.stage import Stage
from token_journey.grading.scoreboard import write_scoreboard
from token_journey.grading.stories import STORIES_A_STAGE, to_tell
from token_journey.grading.verdict import StageGrade, Verdict

SOLUTIONS = find_course().reference
COURSE = find_course().stages()
ONE = ("-k", "by_hand")


@pytest.fixture
def wrong(tmp_path):
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / "s03_rms_norm.py"
    file.write_text("def rms_norm(x, weight, eps):\n    return x\n")
    return file


def test_the_table_is_the_last_thing(wrong):
    output = grade(wrong, options=ONE).output
    assert output.splitlines()[-1].startswith("  0 of 1 checks hold.")
    assert "1 failed" in output
    assert "short test summary" not in output and "rootdir" not in output


@pytest.mark.parametrize("asked", ["-rf", "-v", "-vv"])
def test_the_summary_is_there_for_who_asks(asked, wrong):
    output = grade(wrong, options=(*ONE, asked)).output
    assert "short test summary" in output and "rootdir" in output
    assert "checks hold" in output.splitlines()[-1]


def test_a_run_of_other_tests_too_ends_as_pytest_s(wrong, tmp_path):
    (tmp_path / "theirs").mkdir()
    other = tmp_path / "theirs" / "others.py"
    other.write_text("def test_one():\n    assert 1 + 1 == 3\n")
    output = grade(wrong, other, options=ONE).output
    assert "rootdir" in output and "short test summary" in output
    assert "1 failed" in output.splitlines()[-1]


def test_names_that_fit_no_check(wrong):
    graded = grade(wrong, options=("-k", "no_such_check"))
    assert graded.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "No check was run: 35 are here" in graded.output
    assert "Nothing to grade" not in graded.output
    assert "No check was run" not in grade(wrong, options=ONE).output


def table(*rows):
    lines = []
    write_scoreboard(rows, lambda text, **_: lines.append(text), "pytest", COURSE)
    return "\n".join(lines)


def right(stage, path="mine"):
    return StageGrade(path, stage.name, passed=3)


def test_a_green_stage_names_the_next_one():
    assert "Next: stage 4, mine/s04_rope.py." in table(right(Stage("s03_rms_norm")))
    assert "Next" not in table(right(COURSE[-1]))
    red = StageGrade("mine", "s03_rms_norm", passed=3, failed=1)
    assert "s04_rope" not in table(red)


def test_ten_green_ones_say_what_can_be_done_with_them():
    told = table(*map(right, COURSE))
    assert "`pytest mine --chained`, and `token-journey show --impl mine`" in told
    red = StageGrade("mine", "s10_generate", passed=3, todo=1)
    assert "--chained" not in table(*map(right, COURSE[:-1]), red)


def test_a_few_checks_of_a_stage_are_not_the_stage():
    graded = grade(SOLUTIONS / "s03_rms_norm.py", options=ONE)
    assert graded.exit_code == 0 and "s04_rope" not in graded.output


def failures(*told):
    """Failed checks a, b, c, … of one stage, as (function, subject, what else is so)."""
    made = {}
    for check, (function, subject, *so) in zip("abcdefgh", told, strict=False):
        what = dict.fromkeys(so, True)
        verdict = Verdict("mine", "s06_swiglu", check, "failed", subject, function=function, **what)
        made[check] = verdict
    return made


def test_a_story_is_told_once():
    same = failures(("silu", "wrong"), ("silu", "wrong"), ("silu", "another"))
    assert to_tell(same) == ["a", "c"]


def test_each_function_comes_before_a_second_story_of_one():
    many = failures(*[("silu", f"story {n}") for n in range(4)], ("swiglu", "of its own"))
    assert to_tell(many) == ["a", "e", "b"]


def test_of_one_function_s_wrong_numbers_two_are_enough():
    numbers = [("silu", f"story {n}") for n in range(4)]
    assert to_tell(failures(*numbers)) == ["a", "b"]
    assert len(to_tell(failures(*[(*told, "named") for told in numbers]))) == STORIES_A_STAGE
    assert len(to_tell(failures(*[(*told, "broken") for told in numbers]))) == STORIES_A_STAGE


def test_what_raises_comes_before_what_differs():
    both = failures(("silu", "its gradient"), ("swiglu", "shapes", "broken"))
    assert to_tell(both) == ["b", "a"]
    one = failures(("silu", "a number"), ("silu", "shapes", "broken"))
    assert to_tell(one) == ["b", "a"]


def test_what_is_basic_comes_first():
    both = failures(("apply_rope", "shapes", "broken"), ("rotate_half", "axes", "broken"))
    assert to_tell(both) == ["a", "b"]
    assert to_tell(both, ["rotate_half", "apply_rope"]) == ["b", "a"]


def test_once_a_cause_is_named_other_numbers_are_noise():
    known = failures(("silu", "?"), ("silu", "known", "named"), ("swiglu", "??"))
    assert to_tell(known) == ["b"]
    known = failures(("silu", "known", "named", "broken"), ("silu", "its shapes", "broken"))
    assert to_tell(known) == ["a"]


def test_a_more_basic_function_is_another_matter():
    both = failures(("rotary_tables", "known", "named"), ("frequencies", "its shape"))
    assert to_tell(both, ["frequencies", "rotary_tables"]) == ["a", "b"]
    assert to_tell(both, ["rotary_tables", "frequencies"]) == ["a"]
    assert to_tell(both) == ["a"]


def test_an_error_elsewhere_is_told_beside_a_named_cause():
    apart = failures(("silu", "known", "named", "broken"), ("swiglu", "shapes", "broken"))
    assert to_tell(apart) == ["a", "b"]
    both = failures(("silu", "known", "named"), ("swiglu", "shapes", "broken"), ("swiglu", "??"))
    assert to_tell(both) == ["a", "b"]


def test_what_did_not_end_comes_first_and_what_was_not_run_last():
    many = failures(
        ("f", "shapes", "broken"),
        ("f", "OutOfTime s06_swiglu.py:3, in f", "broken"),
        ("", "not run"),
        ("g", "numbers"),
    )
    assert to_tell(many) == ["b", "a", "d"]


def test_of_each_stage_a_few_are_told():
    many = failures(*[(f"f{n}", f"story {n}") for n in range(8)])
    assert len(to_tell(many)) == STORIES_A_STAGE
    other = Verdict("mine", "s07_decoder", "z", "failed", "one more")
    assert to_tell({**many, "z": other})[-1] == "z"


def test_next_is_the_stage_that_was_begun():
    fresh = StageGrade("mine", "s01_tokenize", todo=3)
    begun = StageGrade("mine", "s03_rms_norm", passed=1, todo=2)
    wrong = StageGrade("mine", "s04_rope", failed=3)
    assert "Next: write stage 3, mine/s03_rms_norm.py" in table(fresh, begun, wrong)
    assert "Next: correct stage 4, mine/s04_rope.py" in table(fresh, wrong)
    assert "Next: write stage 1, mine/s01_tokenize.py" in table(fresh, right(COURSE[1]))
