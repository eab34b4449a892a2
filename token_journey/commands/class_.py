"""`token-journey class`: a folder of hand-ins becomes grades, feedback and an overview."""

from __future__ import annotations

import argparse
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from token_journey.commands.options import path
from token_journey.course.course import Course, find_course
from token_journey.errors import ClassError
from token_journey.foreign import foreign

if TYPE_CHECKING:
    from token_journey.classroom.points import Points
    from token_journey.classroom.results import Results
    from token_journey.classroom.roster import Student

_EXPORTS = ("grades", "overview", "feedback", "moodle", "canvas", "junit", "gradescope")
_USUAL = ("grades", "overview", "feedback")


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "class", help="grade a folder of hand-ins, on one machine or many; docs/class.md"
    )
    add = parser.add_argument
    add("hand_ins", nargs="?", type=path, metavar="HANDINS", help="a folder, a zip or a tar")
    add("--out", type=path, metavar="RESULTS", help="the folder for all that comes out")
    add("--roster", type=path, metavar="FILE", help="CSV with ids or e-mail addresses")
    add("--points", type=path, metavar="FILE", help="CSV: stage, points, give")
    add("--pack", type=path, action="append", default=[], metavar="DIR", help="judge by it, too")
    add("--resume", action="store_true", help="go on; only what is new or changed is graded")
    add("--regrade", action="store_true", help="and what another version graded")
    add("--workers", type=int, metavar="N", help="on this machine (default: one a core)")
    add("--scheduler", metavar="tcp://…", help="of a Dask cluster that runs already")
    add("--shard", type=_shard, metavar="I/N", help="grade every Nth hand-in, from the Ith on")
    add("--merge", action="store_true", help="join the results of all shards in RESULTS")
    add(
        "--export",
        action="append",
        default=[],
        choices=_EXPORTS,
        help="of results that are there, or beside the usual ones (repeat)",
    )
    add("--gradescope-zip", type=path, metavar="FILE", help="write an autograder for Gradescope")
    parser.set_defaults(run=run)


def _shard(given: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", given)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"{given} is no shard: write 3/20 for the third of 20")
    return int(found[1]), int(found[2])


def run(options: argparse.Namespace) -> None:
    """Raises ClassError, and PackError for a pack that can't be used."""
    course = find_course()
    if options.gradescope_zip:
        _write_autograder(options, course)
        return
    _refuse_nonsense(options)
    from token_journey.classroom import exports, results
    from token_journey.classroom.class_list import ClassList

    lists = _lists(options, course)
    usual = () if options.export and not options.hand_ins else _USUAL
    names = dict.fromkeys((*usual, *options.export))
    exports.prepare(names)
    if options.hand_ins:
        graded = _graded(options, course)
        if options.shard:
            print(f"{graded.file} is written: join all shards with --merge.")
            return
    elif options.merge:
        graded = results.merge(options.out)
    else:
        graded = results.Results(options.out / results.NAME)
    if not len(graded):
        raise ClassError(f"There are no results in {options.out}: grade HANDINS first.")
    rows = ClassList(graded, course.stages(), *lists)
    for name in names:
        print(f"{exports.export(name, rows, course, options.out)} is written.")
    for what, hand_ins in (("are nobody's on the roster", rows.nobodys), ("were lost", rows.lost)):
        if hand_ins:
            print(f"To look at by hand, for they {what}: {foreign(', '.join(hand_ins))}.")


def _refuse_nonsense(options: argparse.Namespace) -> None:
    """What can be said before anything is loaded."""
    if options.out is None:
        raise ClassError("Say with --out into which folder the results go.")
    if not (options.hand_ins or options.merge or options.export):
        raise ClassError("Name the folder of the hand-ins, or say --merge or --export.")
    if options.workers is not None and options.workers < 1:
        raise ClassError(f"--workers {options.workers} grades nothing: say 1 or more.")
    if options.hand_ins:
        inside, outside = options.out.resolve(), options.hand_ins.resolve()
        if inside.is_relative_to(outside):
            raise ClassError(
                f"{options.out} lies in {options.hand_ins}, in which nothing is changed: name "
                "another folder with --out."
            )
    for file in filter(None, (options.roster, options.points)):
        if not file.is_file():
            raise ClassError(f"{file} is not there: name a CSV file.")


def _graded(options: argparse.Namespace, course: Course) -> Results:
    from token_journey.classroom.engines import engine as engine_of
    from token_journey.classroom.grade import Grading
    from token_journey.classroom.hand_ins import found_in
    from token_journey.classroom.progress import progress

    for pack in options.pack:
        if not (pack / "pack.json").is_file():
            raise ClassError(f"There is no pack in {pack}: name the folder of one.")
    engine = engine_of(options.workers, options.scheduler)
    with ExitStack() as stack:
        hand_ins = stack.enter_context(found_in(options.hand_ins, course))
        grading = Grading(course, options.pack, _results(options), options.regrade)
        if options.shard:
            number, of = options.shard
            hand_ins = hand_ins[number - 1 :: of]
        grading.heard = stack.enter_context(progress(len(hand_ins)))
        grading.run(hand_ins, engine)
    if grading.of_other_versions and not options.regrade:
        print(
            f"{grading.of_other_versions} of the results are of another version of the course or "
            "its packs, and stay as they are: --resume --regrade grades them anew."
        )
    return grading.results


def _results(options: argparse.Namespace) -> Results:
    from token_journey.classroom.results import NAME, Results, cannot_write

    name = "results-{}-of-{}.jsonl".format(*options.shard) if options.shard else NAME
    file = options.out / name
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(options.out, error) from None
    if file.exists() and not (options.resume or options.regrade):
        raise ClassError(f"{file} is there already: go on with --resume, or name another folder.")
    return Results(file)


def _lists(options: argparse.Namespace, course: Course) -> tuple[Points, list[Student] | None]:
    """Read before anything is graded."""
    from token_journey.classroom.points import one_each, read_points
    from token_journey.classroom.roster import read_roster

    stages = course.stages()
    points = read_points(options.points, stages) if options.points else one_each(stages)
    return points, read_roster(options.roster) if options.roster else None


def _write_autograder(options: argparse.Namespace, course: Course) -> None:
    from token_journey.classroom.gradescope import write_autograder

    write_autograder(options.gradescope_zip, course, options.points, options.pack)
    print(f"{options.gradescope_zip} is written: upload it as the assignment's autograder.")
