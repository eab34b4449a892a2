"""What `%load_ext token_journey` brings: each magic says what is wrong in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import display

from token_journey.course.notebook_cells import stage_called
from token_journey.course.stage import Stage
from token_journey.errors import UserError, not_installed
from token_journey.foreign import foreign
from token_journey.notebook.desk import NotebookDesk
from token_journey.notebook.shown import Shown, refused, sentences, text, titled

_LONGEST = 1500
_SECONDS_TO_WALK = 100


@cache
def _desk(here: Path) -> NotebookDesk:
    """One for all times that the extension is loaded."""
    return NotebookDesk(here)


def load_ipython_extension(shell: Any) -> None:
    shell.register_magics(JourneyMagics(shell, _desk(Path.cwd())))


def _in_a_sentence(magic: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(magic)
    def told(*given: Any) -> Any:
        try:
            return magic(*given)
        except UserError as error:
            return refused(foreign(str(error), _LONGEST))
        except ModuleNotFoundError as error:
            if (missing := not_installed(error.name)) is None:
                raise
            return refused(str(missing))
        except KeyboardInterrupt:
            return refused("Interrupted: run the cell again when you like.")

    return told


@magics_class
class JourneyMagics(Magics):
    """%%stage, %%stage_shapes, %stage_hint, %journey and %walk."""

    def __init__(self, shell: Any, desk: NotebookDesk):
        super().__init__(shell)
        self._desk = desk

    @cell_magic
    @_in_a_sentence
    def stage(self, line: str, cell: str) -> None:
        """`%%stage rms_norm`, and below it your code: it is written to your file and judged."""
        name = line.strip()
        if not name:
            raise UserError("Which stage? Begin the cell with its name, as `%%stage rms_norm`.")
        handle: Any = None

        def show(shown: Shown) -> None:
            nonlocal handle
            if handle is None:
                handle = display(shown, display_id=True)  # type: ignore[no-untyped-call]
            else:
                handle.update(shown)

        self._desk.judge(name, cell, show)

    @line_magic
    @_in_a_sentence
    def stage_hint(self, line: str) -> Shown:
        """`%stage_hint rms_norm`: the next hint; of one function, if its name follows."""
        from token_journey.watch.hints import next_hint

        name, _, function = line.strip().partition(" ")
        stage = self._desk.called(name)
        hint = next_hint(self._desk.course, stage, self._desk.progress, function.strip())
        return titled(hint.title, text(hint.text), sentences([hint.after]))

    @line_magic
    @_in_a_sentence
    def journey(self, line: str) -> Shown:
        """`%journey`: how all ten stages stand."""
        return self._desk.standing()

    @cell_magic
    @_in_a_sentence
    def stage_shapes(self, line: str, cell: str) -> Shown:
        """`%%stage_shapes rms_norm`: the shapes that stand behind the arrows, judged."""
        from token_journey.notebook.predicted import judged

        return judged(self._desk.course, self._desk.called(line.strip()), cell)

    @line_magic
    @_in_a_sentence
    def walk(self, line: str) -> Any:
        """`%walk "text"`, `%walk` for Aitana's published one, `%walk rms_norm` for a stage's."""
        said = line.strip()
        if said[:1] == said[-1:] and said[:1] in ("'", '"'):
            said = said[1:-1]
        if stage := stage_called(said, self._desk.course.stages()):
            return print(_walk_of(stage, self._desk.progress.folder))
        from token_journey.notebook.walk import walk

        return walk(said or None)


def _walk_of(stage: Stage, folder: Path) -> str:
    """A stage's steps, the learner's numbers beside the model's: by a process of its own."""
    from token_journey.journey.stations import steps_of
    from token_journey.packs.whole_model import fetched

    # A whole model: SmolLM2 once it was fetched, else the tiny one that comes with the course.
    whole = fetched() and find_spec("transformers")
    model = ["The capital of France is"] if whole else ["--model", "witness-gqa"]
    steps = [word for key in steps_of(stage) for word in ("--step", key)]
    command = [sys.executable, "-P", "-m", "token_journey", "show", *model, "--impl", str(folder)]
    try:
        run = subprocess.run(
            [*command, *steps],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS_TO_WALK,
            env={**os.environ, "COLUMNS": "100", "FORCE_COLOR": "1", "PYTHONUTF8": "1"},
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"It did not end in {_SECONDS_TO_WALK} seconds: have it judged.") from None
    if run.returncode:
        last = "".join(run.stderr.strip().splitlines()[-1:])
        raise UserError(last.removeprefix("token-journey: ") or "It ended Python itself.")
    return run.stdout
