"""What a player sends is data, and nothing it does reaches the judge."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import time

import pytest
import torch

from conftest import STAGE
from token_journey.guards.time_limit import OutOfTime, slowness
from token_journey.player.conversation import Conversation, Ended
from token_journey.player.protocol import MOST_BYTES, MOST_TEXT, Channel, NotData
from token_journey.player.remote import SECONDS_A_STAGE

HEAD = struct.Struct("<4sIQ")


def answered_with(fields, blobs=(), *, text=None, rest=None):
    """What a judge makes of such an answer."""
    ours, theirs = socket.socketpair()
    body = json.dumps(fields).encode()
    size = rest if rest is not None else sum(map(len, blobs))
    head = HEAD.pack(b"tj01", len(body) if text is None else text, size)
    theirs.sendall(head + body + b"".join(blobs))
    conversation = Conversation(Channel(ours, MOST_TEXT, MOST_BYTES), lambda why: why, lambda: 0.0)
    try:
        return conversation.request("call", ((torch.ones(2),), {}))
    finally:
        theirs.close()


def test_a_plain_answer_is_taken():
    assert answered_with({"is": ["l", [1, ["b", "x"]]]}) == [1, b"x"]


def tensor(storage="s1", shape=(2,), stride=(1,), offset=0, kind="float32", name="p1"):
    return ["T", name, storage, kind, list(shape), list(stride), offset, 0, ""]


@pytest.mark.parametrize(
    "fields",
    [
        {"is": ["pickle", "x"]},
        {"is": ["=", "p9"]},
        {"is": ["J", "f9"]},
        {"is": ["@", "k9"]},
        {"is": tensor(storage="s9")},
        {"is": tensor(), "new": [["s1", 0, None]], "blobs": [4]},
        {"is": tensor(shape=[10**12], stride=[0]), "new": [["s1", 0, None]], "blobs": [4]},
        {"is": tensor(shape=[-1]), "new": [["s1", 0, None]], "blobs": [4]},
        {"is": tensor(shape=[1], offset=-1), "new": [["s1", 0, None]], "blobs": [4]},
        {"is": tensor(kind="object"), "new": [["s1", 0, None]], "blobs": [4]},
        {"is": 1, "new": [["js0", 0, None]], "blobs": [4]},
        {"is": 1, "changed": [["js1", 0, []]], "blobs": [4]},
        {"is": 1, "graph": ["c1", ["j0"], ["p1"]]},
        {"is": 1, "chance": 0, "blobs": [4]},
        {"is": 1, "containers": [["k0", ["l", []]]]},
        {"is": 1, "generators": [["g0", 0]], "blobs": [4]},
        {"raised": {"type": "X", "bases": [], "said": "", "args": None}},
        {"do": "method", "of": "f0", "method": "__class__", "args": ["t", []]},
        {"do": "shell"},
        {"is": ["l", [["l", []]] * 3, 5, []], "blobs": [-1]},
        [1, 2],
    ],
    ids=str,
)
def test_what_is_no_data_ends_the_player(fields):
    blobs = [b"\0" * 4] if isinstance(fields, dict) and fields.get("blobs") == [4] else []
    with pytest.raises(Ended):
        answered_with(fields, blobs)


def test_nothing_is_allocated_for_a_size_that_is_only_said():
    for size in ({"text": 1 << 31}, {"rest": 1 << 45}):
        with pytest.raises(Ended, match="more than an answer may hold"):
            answered_with({"is": 1}, **size)


def test_an_answer_may_not_nest_without_end():
    deep: list = []
    for _ in range(200):
        deep = ["l", [deep]]
    with pytest.raises(Ended):
        answered_with({"is": deep})


def test_all_answers_of_a_check_together_are_bounded():
    ours, theirs = socket.socketpair()
    channel = Channel(ours, MOST_TEXT, MOST_BYTES)
    channel.left = 5
    Channel(theirs).send({"is": 1}, [])
    with pytest.raises(NotData):
        channel.receive()


def test_a_keyboard_interrupt_is_not_taken_for_a_person_s(stage):
    with pytest.raises(SystemExit):
        stage("def f():\n    raise KeyboardInterrupt\n").f()


# -- deaths ---------------------------------------------------------------------

ENDS = {
    "a signal": "import ctypes; ctypes.string_at(0)",
    "an abort": "import os; os.abort()",
    "its files closed": "import os; os.closerange(0, 64)",
}


@pytest.mark.parametrize("how", ENDS)
def test_a_player_that_dies_loses_its_own_call(stage, how):
    under_test = stage(f"def f():\n    {ENDS[how]}\n\ndef g():\n    return 5\n")
    with pytest.raises(Ended, match="ended"):
        under_test.f()
    assert under_test.g() == 5  # by a new player


@pytest.mark.parametrize(
    "loop",
    ["while True: pass", "10 ** 10 ** 9", "while True:\n        try: g()\n        except: pass"],
)
def test_a_player_that_never_ends_is_ended(stage, loop):
    under_test = stage(f"def g(): pass\n\ndef f():\n    {loop}\n")
    with pytest.raises((OutOfTime, Ended)), under_test.trial(0.5):
        under_test.f()


def test_a_loop_says_where_it_was_stopped(hand_in):
    implementation = hand_in("def f():\n    while True:\n        pass\n")
    under_test = implementation.under_test(STAGE)
    with pytest.raises(OutOfTime) as raised, under_test.trial(0.5):
        under_test.f()
    assert implementation.frames(raised.value)[-1].name == "f"


def test_memory_is_bounded(stage):
    under_test = stage(
        "def f():\n    return len(bytearray(3 << 30))\n\n"
        "def g():\n    import mmap\n    return len(mmap.mmap(-1, 20 << 30))\n"
    )
    with pytest.raises(MemoryError):
        under_test.f()
    with pytest.raises((MemoryError, OSError)):
        under_test.g()


def test_ending_takes_no_time_whatever_was_left_behind(hand_in):
    implementation = hand_in(
        "import atexit, threading, time\natexit.register(time.sleep, 60)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\ndef f():\n    return 1\n"
    )
    assert implementation.under_test(STAGE).f() == 1
    began = time.monotonic()
    implementation.unload()
    assert time.monotonic() - began < 20


def test_a_check_may_not_wait_longer_than_its_stage(hand_in):
    implementation = hand_in("import time\ndef f():\n    time.sleep(600)\n")
    implementation._together._taken = SECONDS_A_STAGE * slowness() - 0.5
    under_test = implementation.under_test(STAGE)
    with pytest.raises(OutOfTime), under_test.trial(10):
        under_test.f()
    assert 0.5 <= implementation._together._taken - SECONDS_A_STAGE * slowness() + 0.5 < 30


def test_a_judge_that_is_killed_leaves_no_file(tmp_path):
    source = (
        "import os, pathlib\nfrom token_journey.player.process import Players\n"
        "players = Players()\nplayers.start(pathlib.Path('/'))\nos.kill(os.getpid(), 9)\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", source], env=environment, timeout=300)
    assert killed.returncode == -9
    assert os.listdir(tmp_path) == []


# -- the jail -------------------------------------------------------------------

TRIES = {
    "read /etc": "open('/etc/passwd').read()",
    "read the kit": f"open({os.path.abspath('pyproject.toml')!r}).read()",
    "read /proc": "open('/proc/1/cmdline').read()",
    "write outside": "open('/tmp/left-by-a-player', 'w')",
    "write the hand-in": "open(__file__, 'a')",
    "close the hand-in": "__import__('os').chmod(__file__, 0)",
    "age the hand-in": "__import__('os').utime(__file__)",
    "fork": "__import__('os').fork()",
    "run a program": "__import__('subprocess').run(['true'])",
    "a socket": "__import__('socket').socket()",
    "signal its parent": "__import__('os').kill(__import__('os').getppid(), 0)",
    "signal all": "__import__('os').kill(-1, 0)",
    "raise a limit": "__import__('resource').setrlimit(9, (-1, -1))",
    "limit the judge": "__import__('resource').prlimit(__import__('os').getppid(), 0, (1, 1))",
    "slow the judge": "__import__('os').setpriority(0, __import__('os').getppid(), 19)",
    "import pytest": "__import__('pytest')",
    "import the course": "__import__('token_journey.course.course')",
}


@pytest.mark.parametrize("what", TRIES)
def test_the_jail_is_shut(players, stage, what):
    if players.open:
        pytest.skip("; ".join(players.open))
    under_test = stage(f"def f():\n    return str({TRIES[what]})\n")
    with pytest.raises((OSError, ImportError, ValueError)):
        under_test.f()


def test_its_own_folder_is_empty_and_can_be_written(players, stage):
    if players.open:
        pytest.skip("; ".join(players.open))
    source = "import os\ndef f():\n    open('x', 'w').write('y')\n    return os.listdir('.')\n"
    assert stage(source).f() == ["x"]
    assert stage("import os\ndef f():\n    return os.listdir('.')\n").f() == []


def test_what_a_stage_may_need_is_there(stage):
    names = "torch einops jaxtyping numpy math functools dataclasses typing xml.etree json"
    source = "".join(f"import {name}\n" for name in names.split())
    assert stage(f"{source}def f():\n    return 1\n").f() == 1
