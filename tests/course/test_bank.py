"""The bank against the checks: every mistake is stopped and named, no right way is refused."""

from pathlib import Path

import pytest
from graded import grade

from token_journey.course.borrowed import answers_imported
from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import Misconception, rewrites_in
from token_journey.course.stage import Stage
from token_journey.grading.diagnosis.patterns import read_patterns
from token_journey.grading.kill_matrix import SUMMARY, build_matrix, counts

COURSE = find_course()
STAGES = [stage.name for stage in COURSE.stages()]
BANK = COURSE.checks / "misconceptions"
VARIANTS = Path(__file__).parent / "variants"


# Held against everything in `make test`; all others in `make exam`.
QUICK = {"s02_embed", "s08_lm_head"}
EACH = [pytest.param(s, marks=() if s in QUICK else pytest.mark.exam) for s in STAGES]


@pytest.fixture(scope="module", params=EACH)
def matrix(request):
    return build_matrix(COURSE.reference, BANK, VARIANTS, request.param)


@pytest.mark.slow
def test_every_misconception_is_stopped(matrix):
    assert not [row.rewrite.name for row in matrix.rows if not row.stopped_by]


@pytest.mark.slow
def test_every_right_variant_passes(matrix):
    refused = {row.rewrite.name: row.stopped_by for row in matrix.variants if row.stopped_by}
    assert not refused


@pytest.mark.slow
def test_every_misconception_lands_far_from_every_right_variant(matrix):
    """At its best check, ten times as far from the expected numbers as any right way."""
    assert not {row.rewrite.name: row.margin for row in matrix.rows if row.margin < 10}


@pytest.mark.slow
def test_every_misconception_is_named(matrix):
    """Among the first checks that it fails, one says what it is."""
    unnamed = {
        row.rewrite.name: row.called for row in matrix.rows if row.rewrite.name not in row.called
    }
    assert not unnamed


@pytest.mark.slow
def test_most_misconceptions_are_named_at_once(matrix):
    """The first message is right for nineteen in twenty; else it says that several fit."""
    first = [row for row in matrix.rows if row.called[:1] == [row.rewrite.name]]
    assert len(first) >= 0.95 * len(matrix.rows)


@pytest.mark.parametrize("stage", STAGES)
def test_the_bank_is_large_and_its_names_differ(stage):
    mistakes = rewrites_in(Implementation(BANK).module(stage))
    assert all(isinstance(m, Misconception) and m.does and m.read for m in mistakes)
    assert len(mistakes) >= 12
    assert len({m.name for m in mistakes}) == len(mistakes)


@pytest.mark.parametrize("stage", STAGES)
def test_there_are_right_ways_to_differ(stage):
    assert len(rewrites_in(Implementation(VARIANTS).module(stage))) >= 6


@pytest.mark.parametrize("stage", STAGES)
def test_the_summary_counts_this_bank(stage):
    page = (COURSE.home / SUMMARY).read_text(encoding="utf-8")
    wrong, right = (len(rewrites_in(Implementation(of).module(stage))) for of in (BANK, VARIANTS))
    assert f"\n{counts(Stage(stage), wrong, right)} " in page, "run `make matrix`"


@pytest.mark.slow
def test_the_patterns_are_those_of_this_bank(matrix):
    """No mistake surely fails a check that it surely passes by the file, or the other way round."""
    for stage, fresh in matrix.patterns.items():
        shipped = read_patterns(BANK, stage)
        for name, pattern in fresh.of.items():
            before = shipped.of[name]
            parted = [c for c in pattern.fails if before.holds(c)]
            parted += [c for c in before.fails if pattern.holds(c)]
            assert not parted, f"{name}: run `make matrix`"


@pytest.mark.parametrize("stage", STAGES)
def test_there_is_a_pattern_for_each_mistake(stage):
    shipped = read_patterns(BANK, stage)
    mistakes = rewrites_in(Implementation(BANK).module(stage))
    assert set(shipped.of) == {m.name for m in mistakes}, "run `make matrix`"
    asked = {name.partition("[")[0] for name in shipped.checks}
    checks = vars(Implementation(COURSE.checks).module(f"check_{stage}"))
    assert asked == {name for name in checks if name.startswith("test_")}, "run `make matrix`"


BORROWED = [
    pytest.param(file.stem, borrowed, id=f"{file.stem}-{borrowed.name}")
    for file in sorted((Path(__file__).parent / "borrowed").glob("*.py"))
    for borrowed in rewrites_in(Implementation(file.parent).module(file.stem))
]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "borrowed"), BORROWED)
def test_a_borrowed_answer_fails_one_check_and_only_that(stage, borrowed, tmp_path):
    solution = (COURSE.reference / f"{stage}.py").read_text(encoding="utf-8")
    (tmp_path / f"{stage}.py").write_text(f"{solution}\n\n{borrowed.source}", encoding="utf-8")
    graded = grade(tmp_path)
    failed = [about["check"] for about in graded.reports if about["kind"] == "failed"]
    assert failed == ["test_written_not_borrowed"]
    assert "this stage is about writing it yourself" in " ".join(graded.messages[0].split())


@pytest.mark.parametrize(
    "source",
    [
        "from transformers.models.llama.modeling_llama import LlamaRMSNorm",
        "import importlib; importlib.import_module('tokenizers')",
        "def later():\n    import solutions.s03_rms_norm",
    ],
)
def test_imported_answers_are_seen(source, tmp_path):
    file = tmp_path / "s03_rms_norm.py"
    file.write_text(source)
    assert answers_imported(file)
