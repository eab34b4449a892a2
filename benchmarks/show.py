"""What a walk costs beyond loading the model: seconds, memory, and the size of its page.

    python benchmarks/show.py

SmolLM2 on sentences of 16 and of 512 tokens, by itself and with the solutions in its place, each
in a process of its own. Needs `token-journey fetch`.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

# 16 tokens, and as many as are asked for.
SENTENCE = "The river gave its water to the fields, and the fields gave bread to all"
KINDS = {
    "16 tokens": (16, None),
    "16 tokens, --impl solutions": (16, "solutions"),
    "512 tokens": (512, None),
}


def measured(tokens: int, folder: str | None) -> dict[str, float]:
    """One walk in this process, and its page."""
    from token_journey.course.course import find_course
    from token_journey.drawing import vega
    from token_journey.journey.opening import opened
    from token_journey.journey.page.page import page

    vega.start()
    with opened("smollm2", find_course()) as walks:
        text = SENTENCE + " and bread" * ((tokens - 16) // 2)
        started = time.perf_counter()
        journey = walks.walk(text, folder=folder and Path(folder))
        walked = time.perf_counter()
        size = len(page(journey).encode())
    last = journey.tokens[-1].place + 1
    assert last == tokens, f"the sentence has {last} tokens"
    return {
        "walk": walked - started,
        "page": time.perf_counter() - walked,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * (1 if sys.platform == "darwin" else 1024)
        / 1e6,
        "size": size / 1e6,
    }


def main() -> None:
    print(f"{'SmolLM2':30}{'walk s':>9}{'page s':>9}{'peak MB':>9}{'page MB':>9}")
    for name, kind in KINDS.items():
        run = subprocess.run(
            [sys.executable, __file__, json.dumps(kind)], capture_output=True, text=True, check=True
        )
        found = json.loads(run.stdout.splitlines()[-1])
        print(
            f"{name:30}{found['walk']:9.2f}{found['page']:9.2f}"
            f"{found['memory']:9.0f}{found['size']:9.2f}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(*json.loads(sys.argv[1]))))
    else:
        main()
