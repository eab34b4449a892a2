"""A small class, graded by a real judge: each hand-in costs only itself."""

import csv
import json
import shutil
import subprocess
import sys
import zipfile

import psutil
import pytest
from made_up import COURSE, STAGES

from token_journey.classroom import engines, judging
from token_journey.classroom.collecting import collect
from token_journey.classroom.engines import engine
from token_journey.classroom.grade import Grading
from token_journey.classroom.hand_ins import found_in
from token_journey.classroom.judging import JudgeTask, WarmJudge
from token_journey.classroom.results import NAME, Results
from token_journey.commands.main import main
from token_journey.errors import ClassError
from token_journey.packs.manifest import seal

pytestmark = pytest.mark.slow

NORM = "s03_rms_norm.py"
RIGHT = (COURSE.reference / NORM).read_text("utf-8")
WRONG = (
    "def rms_norm(x, weight, eps):\n    wide = x.float()\n"
    "    root = wide.square().mean(-1, keepdim=True).sqrt() + eps\n"
    "    return (weight * wide / root).to(x.dtype)\n"
)
DIES = "import os\n\n\ndef rms_norm(x, weight, eps):\n    os.kill(os.getpid(), 9)\n"
OPENS = "import socket\n\n\ndef rms_norm(x, weight, eps):\n    socket.socket()\n"


@pytest.fixture(scope="module")
def hand_ins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "in"
    for name, text in (("right", RIGHT), ("wrong", WRONG), ("dies", DIES), ("opens", OPENS)):
        (folder / name).mkdir(parents=True)
        (folder / name / NORM).write_text(text, "utf-8")
    (folder / "dies" / "conftest.py").write_text("raise SystemExit(0)\n")
    (folder / "nothing").mkdir()
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        archive.writestr(f"deep/{NORM}", RIGHT)
    cell = {"cell_type": "code", "source": f"%%stage rms_norm\n{WRONG}"}
    (folder / "notebook.ipynb").write_text(json.dumps({"cells": [cell]}))
    return folder


@pytest.fixture(scope="module")
def out(hand_ins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    assert main(["class", str(hand_ins), "--out", str(folder), "--workers", "1"]) == 0
    return folder


def results(folder):
    return {each.hand_in: each for each in Results(folder / NAME)}


def timeless(folder):
    """All lines without what a clock said."""
    found = []
    for line in (folder / NAME).read_text().splitlines():
        said = json.loads(line)
        said.pop("seconds")
        found.append([said, [stage.pop("seconds") for stage in said["stages"]] and None])
    return found


def test_each_hand_in_is_graded_by_what_lies_in_it(out):
    found = {key: each.stages[2] for key, each in results(out).items() if each.stages}
    assert found.keys() == {"right", "wrong", "dies", "opens", "zipped", "notebook"}
    assert {key for key, norm in found.items() if norm.done} == {"right", "zipped"}
    assert all(norm.total == 35 for norm in found.values())
    for key in ("wrong", "notebook"):
        assert found[key].mistakes == ["eps is added outside the root"]


def test_who_handed_in_nothing_has_a_row(out):
    nothing = results(out)["nothing"]
    assert nothing.stages == [] and nothing.remarks == ["no stage was handed in"]
    rows = list(csv.DictReader((out / "grades.csv").read_text("utf-8-sig").splitlines()))
    (row,) = (row for row in rows if row["student"] == "nothing")
    assert row["rms_norm"] == "0 of 35" and row["sum (of 10)"] == "0"


def test_what_the_jail_stopped_is_told(out):
    found = results(out)
    assert "SIGKILL" in found["dies"].stopped[0]
    assert "PermissionError" in found["opens"].stopped[0]
    assert found["right"].stopped == found["wrong"].stopped == []
    assert "conftest.py would steer the grader, and is left out" in found["dies"].remarks


def test_the_usual_files_are_there_and_nothing_else(out):
    assert sorted(file.name for file in out.iterdir()) == [
        "feedback",
        "grades.csv",
        "overview.html",
        "results.jsonl",
    ]


class Counting:
    """An engine that says what it was asked to grade."""

    def __init__(self):
        self.asked = []

    def __call__(self, tasks):
        yield from engine(1, None)(self._seen(tasks))

    def _seen(self, tasks):
        for task in tasks:
            self.asked.append(task.hand_in)
            yield task


def test_only_what_changed_is_graded_again(hand_ins, out, tmp_path):
    shutil.copy(out / NAME, tmp_path / NAME)
    changed = shutil.copytree(hand_ins, tmp_path / "in")
    (changed / "wrong" / NORM).write_text(RIGHT, "utf-8")
    shutil.rmtree(changed / "opens")
    counting = Counting()
    with found_in(changed, COURSE) as found:
        Grading(COURSE, [], Results(tmp_path / NAME)).run(found, counting)
    assert counting.asked == ["wrong"]
    after = results(tmp_path)
    assert after["wrong"].stages[2].done and "opens" not in after


def test_a_run_that_was_ended_goes_on(hand_ins, out, tmp_path):
    """With half a line, as after a kill, at the end."""
    lines = (out / NAME).read_bytes().splitlines(keepends=True)
    (tmp_path / NAME).write_bytes(b"".join(lines[:5]) + lines[5][:40])
    arguments = [str(hand_ins), "--out", str(tmp_path), "--workers", "1", "--resume"]
    assert main(["class", *arguments]) == 0
    assert timeless(tmp_path) == timeless(out)
    assert (tmp_path / "grades.csv").read_bytes() == (out / "grades.csv").read_bytes()


@pytest.mark.exam
def test_shards_are_the_whole(hand_ins, out, tmp_path):
    for number in (2, 1):
        arguments = [str(hand_ins), "--out", str(tmp_path), "--workers", "1"]
        assert main(["class", *arguments, "--shard", f"{number}/2"]) == 0
    assert main(["class", "--out", str(tmp_path), "--merge"]) == 0
    assert timeless(tmp_path) == timeless(out)
    assert (tmp_path / "grades.csv").read_bytes() == (out / "grades.csv").read_bytes()


def test_a_judge_that_dies_is_started_anew_and_costs_one_hand_in(monkeypatch):
    """A judge that ends itself whenever it sees a file of this name."""
    code = (
        "import sys, pathlib, json\n"
        "from token_journey.grading import server\n"
        "grade = server.Grader.grade\n"
        "def dies(self, paths, *rest, **more):\n"
        "    if pathlib.Path(paths[0], 'deadly.py').exists():\n"
        "        import os; os._exit(3)\n"
        "    return grade(self, paths, *rest, **more)\n"
        "server.Grader.grade = dies\n"
        "server.main()\n"
    )
    monkeypatch.setattr(judging, "_COMMAND", [sys.executable, "-P", "-c", code])
    tasks = [
        JudgeTask("1", {NORM: RIGHT.encode()}, ()),
        JudgeTask("2", {NORM: RIGHT.encode(), "deadly.py": b""}, ()),
        JudgeTask("3", {NORM: RIGHT.encode()}, ()),
    ]
    with WarmJudge() as judge:
        first, second, third = map(judge.grade, tasks)
    assert second.lost and not second.verdicts
    assert not first.lost and not third.lost
    assert [v.kind for v in first.verdicts] == [v.kind for v in third.verdicts]


def test_a_judge_that_can_not_be_started_is_one_sentence(monkeypatch):
    code = "import sys; sys.exit('--isolated needs Linux: grade in a container.')"
    monkeypatch.setattr(judging, "_COMMAND", [sys.executable, "-c", code])
    with (
        WarmJudge() as judge,
        pytest.raises(ClassError, match="No judge can be started: --isolated"),
    ):
        judge.grade(JudgeTask("1", {}, ()))


def test_a_pack_that_is_not_on_this_machine_is_one_sentence():
    with WarmJudge() as judge, pytest.raises(ClassError, match="There is no pack in /nowhere on "):
        judge.grade(JudgeTask("1", {}, ("/nowhere",)))


def test_held_back_prompts_are_judged_and_not_told(hand_ins, tmp_path):
    pack = shutil.copytree(COURSE.packs / "witness-mqa", tmp_path / "mine")
    said = json.loads((pack / "pack.json").read_text())
    said["name"], said["held_back"] = "mine", True
    (pack / "pack.json").write_text(json.dumps(said))
    seal(pack)
    one = tmp_path / "one"
    shutil.copytree(hand_ins / "wrong", one / "wrong")
    arguments = [str(one), "--out", str(tmp_path / "out"), "--pack", str(pack), "--workers", "1"]
    assert main(["class", *arguments, "--export", "gradescope"]) == 0
    found = results(tmp_path / "out")["wrong"]
    assert found.held_back == ["mine"] and found.packs.keys() == {"mine"}
    assert any("[mine-" in told.check for told in found.stages[2].failed)
    (file,) = (tmp_path / "out" / "gradescope").iterdir()
    tests = json.loads(file.read_text())["tests"]
    assert any(test["visibility"] == "hidden" for test in tests)
    assert all("yours" not in test["output"] for test in tests if test["visibility"] == "hidden")


# -- Dask -------------------------------------------------------------------------------------


@pytest.mark.exam
def test_two_workers_give_the_same(hand_ins, out, tmp_path):
    pytest.importorskip("distributed")
    assert main(["class", str(hand_ins), "--out", str(tmp_path), "--workers", "2"]) == 0
    assert timeless(tmp_path) == timeless(out)


def test_a_local_cluster_listens_to_this_machine_alone():
    pytest.importorskip("distributed")
    heard = []

    def tasks():
        yield JudgeTask("1", {}, ("/nowhere",))
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            heard.extend(c.laddr.ip for c in process.net_connections() if c.status == "LISTEN")
        yield JudgeTask("2", {}, ("/nowhere",))

    with pytest.raises(ClassError, match="There is no pack"):
        list(engine(2, None)(tasks()))
    assert len(heard) > 3 and set(heard) == {"127.0.0.1"}


def test_a_cluster_that_loses_workers(hand_ins, tmp_path):
    """Each worker dies at its first hand-in; others take over, and what kills them all is lost."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        found_in(hand_ins, COURSE) as found,
    ):
        tasks = [JudgeTask(h.key, collect(h, COURSE).files, ()) for h in found if h.key == "right"]
        tasks.insert(0, JudgeTask("deadly", {"../deadly": b""}, ()))
        cluster.get_client().run(_deadly)
        said = {j.hand_in: j for j in engines._on_cluster(tasks, cluster.scheduler_address)}
    assert said["deadly"].lost and not said["right"].lost and said["right"].verdicts


def _deadly():
    """On a worker: a hand-in of this name ends the process."""
    import os

    from token_journey.classroom import judging

    grade = judging.WarmJudge.grade

    def dies(self, task):
        if task.hand_in == "deadly":
            os._exit(9)
        return grade(self, task)

    judging.WarmJudge.grade = dies


# -- the whole --------------------------------------------------------------------------------


@pytest.mark.exam
def test_a_hundred_and_twenty_hand_ins_of_which_twelve_are_hostile(tmp_path):
    script = COURSE.home / "benchmarks" / "classroom.py"
    subprocess.run([sys.executable, script, "make", tmp_path / "in", "108"], check=True)
    hostile = sorted((COURSE.home / "tests/grading/hostile").glob("*_*.py"))[::35][:12]
    for file in hostile:
        place = tmp_path / "in" / file.stem
        place.mkdir()
        for right in COURSE.reference.glob("s*.py"):
            shutil.copy(right, place)
        shutil.copy(file, place / NORM)
    out = tmp_path / "out"
    exports = [f"--export={name}" for name in ("moodle", "canvas", "junit", "gradescope")]
    assert main(["class", str(tmp_path / "in"), "--out", str(out), *exports]) == 0
    found = results(out)
    assert len(found) == 120 and not any(each.lost for each in found.values())
    for name, each in found.items():
        if "same as the reference: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10" in "; ".join(each.remarks):
            assert all(stage.done for stage in each.stages), name
    for file in hostile:
        assert not (file.stem.startswith("cheating") and found[file.stem].stages[2].done)
        others = [s for s in found[file.stem].stages if s.stage != STAGES[2].name]
        assert all(stage.done for stage in others), file.stem
