"""A warm judge: a process with torch, course and packs loaded that grades what it is told.

    python -m token_journey.grading.server

Each line on standard input asks for one grade, each line on standard output says one thing:

    {"id": 1, "paths": ["submissions/maria"], "packs": ["held-back"], "options": ["-k", "rope"]}

    {"id": 1, "verdict": {"stage": "s03_rms_norm", "check": …, "kind": "passed", …}}
    {"id": 1, "done": true, "right": false}        or {"id": 1, "error": "one sentence"}

A machine on which not all of a player's jail is closed says with `done`, in `open`, what is not.
`packs` and `options` may be left out. Every stage is run in a player (`--isolated`), so that
nothing of one hand-in is there for the next. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from token_journey.errors import UserError
from token_journey.grading.run import Grader
from token_journey.grading.verdict import Verdict
from token_journey.packs.pack import Pack

_ASKED = {"id", "paths", "packs", "options"}


def serve(questions: Iterable[str], answer: Callable[[str], object]) -> None:
    """Answer every line with lines, until there are no more. Raises UserError at the start."""
    packs: dict[str, Pack] = {}
    with Grader(isolated=True) as grader:
        for line in questions:
            identity = None
            try:
                asked = _asked(line)
                identity = asked.get("id")
                for folder in asked.get("packs", ()):
                    packs.setdefault(folder, Pack(Path(folder)))
                grade = grader.grade(
                    asked["paths"],
                    [packs[folder] for folder in asked.get("packs", ())],
                    heard=_teller(answer, identity),
                    options=asked.get("options", ()),
                )
                closed = {"open": grader.open} if grader.open else {}
                answer(_line(id=identity, done=True, right=grade.done, **closed))
            except UserError as error:
                answer(_line(id=identity, error=str(error)))


def _teller(answer: Callable[[str], object], identity: Any) -> Callable[[Verdict], object]:
    return lambda verdict: answer(_line(id=identity, verdict=verdict.to_json()))


def _asked(line: str) -> dict[str, Any]:
    """Raises UserError for what is no question."""
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise UserError(f"This line is not JSON ({error}).") from None
    if not isinstance(asked, dict) or not {"paths"} <= asked.keys() <= _ASKED:
        raise UserError(
            'Ask with an object such as {"id": 1, "paths": ["submissions/maria"]}; beside '
            "these it may have packs and options."
        )
    for name in ("paths", "packs", "options"):
        given = asked.get(name, [])
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise UserError(f"{name} must be a list of texts.")
    return asked


def _line(**said: Any) -> str:
    return json.dumps(said)


def main() -> None:
    """Serve standard input; what a run prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n", buffering=1)
    os.dup2(2, 1)
    try:
        serve(sys.stdin, lambda line: print(line, file=out))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
