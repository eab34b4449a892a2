"""The warm judge: what is judged after a save, in which order, and that nothing spoils the next."""

import json
import os
import queue
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from token_journey.course.course import find_course
from token_journey.watch.progress import Progress
from token_journey.watch.warm import FORKS, Warm

COURSE = find_course()
NORM = "s03_rms_norm"
WRONG = "def rms_norm(x, weight, eps):\n    return x\n"
HEAD = "import os, time, ctypes, torch\n\n\ndef rms_norm(x, weight, eps):\n"
# What a stage may do to the process that runs it, and what is said of it.
VIOLENT = {
    "endless": (HEAD + "    while True:\n        pass\n", "did not end in time"),
    "endless in C": (HEAD + "    sum(range(10 ** 18))\n", None),
    "killed": (HEAD + "    os.kill(os.getpid(), 9)\n", "SIGKILL"),
    "crashing": (HEAD + "    ctypes.string_at(0)\n", "SIGSEGV"),
    "greedy": (HEAD + "    return torch.ones(1 << 40)\n", ""),
    "a list that grows": (HEAD + "    return [0] * (1 << 36)\n", "MemoryError"),
    "at import": ("import ctypes\nctypes.string_at(0)\n", "SIGSEGV"),
    "changes torch": (HEAD + "    torch.Tensor.float = None\n    torch.sqrt = None\n", ""),
}


class Asked:
    """A judge of a folder, spoken to in JSON lines."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "token_journey.watch.judge", str(folder), *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, bufsize=0, **pipes)  # or `select` would not see it
        self.run = 0
        assert self.line() == {"ready": True}

    def ask(self, *saved, also=(), **first):
        self.run += 1
        asked = {"run": self.run, "saved": saved, "also": also, "first": first}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()

    def line(self):
        while True:
            assert select.select([self.process.stdout], [], [], 120)[0], "it says nothing"
            try:
                return json.loads(self.process.stdout.readline())
            except ValueError:
                assert self.process.poll() is None

    def answer(self, last="done"):
        """All that is said of the run that was asked for last, to its end or that of a stage."""
        said = []
        while not said or last not in (*said[-1], said[-1].get("ended")):
            line = self.line()
            said += [line] if line["run"] == self.run else []
        return said

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()  # or it would wait for somebody to hear the rest
        assert self.process.wait(60) == 0


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learner")
    for stage in COURSE.stages():
        shutil.copy(COURSE.reference / stage.file, folder)
    asked = Asked(folder)
    asked.folder = folder
    yield asked
    asked.close()


@pytest.fixture(autouse=True)
def right_again(judge):
    yield
    shutil.copy(COURSE.reference / f"{NORM}.py", judge.folder)


def kinds(said, stage=NORM):
    return {s["verdict"]["kind"] for s in said if "verdict" in s and s["verdict"]["stage"] == stage}


def write(judge, text):
    (judge.folder / f"{NORM}.py").write_text(text, encoding="utf-8")


def test_the_stage_that_was_saved_and_those_that_use_it(judge):
    judge.ask(NORM)
    said = judge.answer()
    assert said[0]["judging"] == [NORM, "s07_decoder", "s08_lm_head", "s10_generate"]
    assert [line["ended"] for line in said if "ended" in line] == said[0]["judging"]
    judge.ask("s06_swiglu", also=["s01_tokenize"])
    order = judge.answer("judging")[0]["judging"]
    assert order == ["s06_swiglu", "s07_decoder", "s10_generate", "s01_tokenize"]


def test_after_a_file_of_their_own_all_are_judged(judge):
    judge.ask("handy", also=["s05_attention"])
    order = judge.answer("judging")[0]["judging"]
    assert order == [stage.name for stage in COURSE.stages()]
    judge.ask("s06_swiglu", "s02_embed", "setup", also=[])
    assert judge.answer("judging")[0]["judging"][:2] == ["s06_swiglu", "s02_embed"]


def test_what_failed_last_time_is_first_and_known_before_its_cause(judge):
    write(judge, WRONG)
    judge.ask(NORM)
    late = [v["check"] for v in verdicts(judge.answer(NORM)) if v["kind"] == "failed"][-1]
    judge.ask(NORM, **{NORM: [late]})
    said = judge.answer(NORM)
    begun, known, judged = said[1:4]
    assert begun["check"] == known["check"] == judged["verdict"]["check"] == late
    assert known["holds"] is False and known["promise"].endswith(".")
    assert {(v["check"], v["kind"]) for v in verdicts(said)} == {
        (v["check"], v["kind"]) for v in graded_plainly(judge.folder)
    }


def verdicts(said):
    return [s["verdict"] for s in said if "verdict" in s and s["verdict"]["stage"] == NORM]


def graded_plainly(folder):
    """As pytest grades it."""
    from graded import grade

    return [r for r in grade(folder / f"{NORM}.py").reports if r["stage"] == NORM]


def test_the_same_words_in_whatever_order(judge):
    """A cause that is named is the same, whichever check runs first."""
    source = (COURSE.reference / f"{NORM}.py").read_text(encoding="utf-8")
    write(judge, source.replace("(mean_square + eps).sqrt()", "(mean_square.sqrt() + eps)"))
    judge.ask(NORM)
    failed = [v["check"] for v in verdicts(judge.answer(NORM)) if v["message"]]
    judge.ask(NORM, **{NORM: failed[::-1]})
    again = verdicts(judge.answer(NORM))
    assert [v["check"] for v in again[: len(failed)]] == failed
    subjects = {v["subject"] for v in again if v["named"]}
    assert subjects == {"eps is added outside the root"}


@pytest.mark.parametrize("kind", VIOLENT)
def test_a_violent_stage_spoils_no_verdict_after_it(judge, kind):
    text, told = VIOLENT[kind]
    write(judge, text)
    judge.ask(NORM)
    if told is None:  # no signal reaches it: the next save ends it
        while "check" not in judge.line():
            pass
    else:
        said = judge.answer(NORM)
        assert kinds(said) <= {"failed"}
        assert told in json.dumps([s for s in said if "ended" in s or "verdict" in s])
    shutil.copy(COURSE.reference / f"{NORM}.py", judge.folder)
    judge.ask(NORM)
    assert kinds(judge.answer(NORM)) == {"passed"}


def test_a_new_save_ends_what_an_older_one_began(judge):
    write(judge, VIOLENT["endless"][0])
    judge.ask(NORM)
    shutil.copy(COURSE.reference / f"{NORM}.py", judge.folder)
    for _ in range(5):
        judge.ask(NORM)
    assert kinds(judge.answer(NORM)) == {"passed"}


def test_a_breakpoint_says_what_to_run_instead(judge):
    for line in ("breakpoint()", "import pdb; pdb.set_trace()"):
        write(judge, HEAD + f"    {line}\n")
        judge.ask(NORM)
        told = verdicts(judge.answer(NORM))
        assert {v["kind"] for v in told} == {"failed"}
        assert "Breakpoint at s03_rms_norm.py:5" in told[0]["message"]
        assert "`pytest" in told[0]["message"]


def test_what_the_code_prints_comes_with_the_verdict(judge):
    write(judge, HEAD + "    print('here', x.shape)\n    return x\n")
    judge.ask(NORM)
    assert any("here torch.Size" in s["printed"] for s in judge.answer(NORM) if "verdict" in s)


def test_a_file_that_is_deleted_half_written_or_no_text(judge):
    file = judge.folder / f"{NORM}.py"
    for content in (None, b"", b"def rms_norm(x,", b"\xff\xfe\x00", WRONG[:30].encode()):
        file.unlink() if content is None else file.write_bytes(content)
        judge.ask(NORM)
        assert kinds(judge.answer(NORM)) <= {"failed", "missing"}


def test_it_ends_with_its_desk(judge):
    asked = Asked(judge.folder)
    write(judge, VIOLENT["endless"][0])
    asked.ask(NORM)
    while "check" not in asked.line():
        pass
    asked.process.stdin.close()
    assert asked.process.wait(60) == 0


@pytest.mark.skipif(not FORKS, reason="nothing can be forked here")
def test_memory_stays_flat(judge):
    """The judge itself keeps nothing of what its children did."""

    def kilobytes():
        status = Path(f"/proc/{judge.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    judge.ask("s01_tokenize")
    judge.answer()
    before = kilobytes()
    for _ in range(5):
        judge.ask("s01_tokenize")
        judge.answer()
    assert kilobytes() - before < 2_000
    assert len(os.listdir(f"/proc/{judge.process.pid}/task")) == 1


def test_where_nothing_can_be_forked(judge):
    """In one process, which unloads what it loaded."""
    here = Asked(judge.folder, "--here")
    write(judge, WRONG)
    here.ask(NORM)
    assert "failed" in kinds(here.answer(NORM))
    shutil.copy(COURSE.reference / f"{NORM}.py", judge.folder)
    here.ask(NORM)
    assert kinds(here.answer(NORM)) == {"passed"}
    here.close()


def test_a_busy_judge_that_can_not_fork_is_started_anew(judge):
    write(judge, VIOLENT["endless in C"][0])
    said = queue.Queue()
    warm = Warm(Progress(judge.folder), said.put, forks=False)
    assert said.get(timeout=120) == {"ready": True}
    warm.ask([NORM])
    while "check" not in said.get(timeout=120):
        pass
    shutil.copy(COURSE.reference / f"{NORM}.py", judge.folder)
    warm.ask([NORM])
    answer = []
    while not answer or answer[-1].get("ended") != NORM:
        answer.append(said.get(timeout=120))
    warm.close()
    assert kinds(answer) == {"passed"}
    assert not any("error" in line for line in answer)
