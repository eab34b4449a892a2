"""The picture of the desk, docs/watch.svg: a real one, with a mistake in stage 3 and a hint open.

Run `python docs/pictures.py` in the repository.
"""

import io
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.text import Text

from token_journey.course.course import find_course
from token_journey.course.kata import start

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME / "tests"))
desk = import_module("pty_session").desk

COLUMNS = 84


def main() -> None:
    course = find_course()
    with tempfile.TemporaryDirectory() as place:
        start(Path(place) / "kata", course)
        stages = Path(place) / "kata" / "exercises"
        for name in ("s01_tokenize", "s02_embed", "s03_rms_norm"):
            source = (course.reference / f"{name}.py").read_text(encoding="utf-8")
            wrong = source.replace("(mean_square + eps).sqrt()", "(mean_square.sqrt() + eps)")
            (stages / f"{name}.py").write_text(wrong, encoding="utf-8")
        with desk(stages.parent, "exercises/s03_rms_norm.py", columns=COLUMNS) as terminal:
            terminal.expect("h gives a hint.")
            terminal.type("h")
            terminal.expect("Still stuck?")
            shown = terminal.written.rpartition("\x1b[2J")[2].partition("\x1b[H")[2]
            terminal.type("q")
            terminal.ended()
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(shown.replace("\r", "")))
    drawn = console.export_svg(title="token-journey watch")
    # Rich would have a page fetch its font.
    drawn = re.sub(r"\s*(@font-face \{.*?\}|<!--.*?-->)", "", drawn, flags=re.DOTALL)
    (HOME / "docs" / "watch.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
