"""What `--isolated` costs: computing, memory, a call, and a new player.

    python benchmarks/isolated.py [ROUNDS]

Both commands run once in each round, one after the other, so that whatever else the machine
does falls on both alike. CPU seconds are those of a command and of all that it started. Prints
the medians.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from token_journey.player.process import Players

HOME = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "pytest", "-q", "solutions/"]
CALLS, STARTS = 300, 20


def computed(command: list[str]) -> float:
    """CPU seconds of a command and its processes."""
    process = subprocess.Popen(
        command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime


def private(process: int | str) -> float:
    """Megabytes of a process that it shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


def stage_file(folder: str) -> Path:
    file = Path(folder) / "s03_rms_norm.py"
    file.write_text("def rms_norm(x, weight, eps):\n    return x\n")
    return file


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds: dict[str, list[float]] = {"": [], "--isolated": []}
    for _ in range(rounds):
        for option, found in seconds.items():
            found.append(computed([*COMMAND, *filter(None, [option])]))
    desk, isolated = (statistics.median(found) for found in seconds.values())
    print(f"pytest solutions/              {desk:6.2f} CPU seconds")
    print(
        f"pytest solutions/ --isolated   {isolated:6.2f} CPU seconds, {isolated / desk:.2f} times"
    )
    players = Players()
    with tempfile.TemporaryDirectory() as folder:
        file = stage_file(folder)
        starts = []
        for _ in range(STARTS):
            began = time.perf_counter()
            players.start(file.parent).end()
            starts.append(time.perf_counter() - began)
        implementation = players.implementation(file.parent)
        stage = implementation.under_test(file.stem)
        x, weight, calls = torch.ones(5, 576), torch.ones(576), []
        for _ in range(CALLS):
            began = time.perf_counter()
            stage.rms_norm(x, weight, 1e-6)
            calls.append(time.perf_counter() - began)
        inside = (Path("/proc") / str(players._process) / "task").iterdir()
        player = next(child for task in inside for child in (task / "children").read_text().split())
        print(f"a call                         {1000 * statistics.median(calls):6.2f} ms")
        print(f"a new player, jailed and ended {1000 * statistics.median(starts):6.1f} ms")
        print(f"memory of its own: judge       {private(os.getpid()):6.0f} MB")
        print(f"                   parent      {private(players._process):6.0f} MB")
        print(f"                   player      {private(player):6.0f} MB")
        implementation.unload()
    players.close()


if __name__ == "__main__":
    main()
