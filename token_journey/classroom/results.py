"""The file of results: a line is added when it is known, and the last one of a hand-in counts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from token_journey.classroom.result import Result
from token_journey.errors import ClassError
from token_journey.files import write_whole

NAME = "results.jsonl"


class Results:
    """Where each hand-in's line stands in a file; lines are read when they are asked for."""

    def __init__(self, file: Path):
        """Raises ClassError for a file that can't be read, or holds other lines."""
        self.file = file
        self._places: dict[str, tuple[int, int]] = {}
        self.end = 0  # of the last whole line
        if file.is_file():
            self._index()

    def _index(self) -> None:
        self._places.clear()
        self.end = 0
        try:
            with self.file.open("rb") as stream:
                for line in stream:
                    if not line.endswith(b"\n"):  # a run was ended while it wrote
                        return
                    self._places[json.loads(line)["hand_in"]] = self.end, len(line)
                    self.end += len(line)
        except OSError as error:
            raise ClassError(f"{self.file} can't be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError):
            raise ClassError(
                f"{self.file} holds a line that is no result: name another folder with --out."
            ) from None

    def get(self, hand_in: str) -> Result | None:
        return Result.from_line(self.line(hand_in)) if hand_in in self._places else None

    def __iter__(self) -> Iterator[Result]:
        """In the order of their names."""
        for hand_in in sorted(self._places):
            yield Result.from_line(self.line(hand_in))

    def __len__(self) -> int:
        return len(self._places)

    def line(self, hand_in: str) -> bytes:
        start, length = self._places[hand_in]
        with self.file.open("rb") as stream:
            stream.seek(start)
            return stream.read(length)

    @property
    def hand_ins(self) -> Iterable[str]:
        return self._places.keys()

    def add(self, result: Result) -> None:
        """The line is on disk when this returns, or nothing of it. Raises ClassError."""
        line = result.to_line()
        try:
            with self.file.open("r+b" if self.file.exists() else "wb") as stream:
                stream.truncate(self.end)
                stream.seek(self.end)
                try:
                    stream.write(line)
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    stream.truncate(self.end)
                    raise
        except OSError as error:
            raise cannot_write(self.file, error) from None
        self._places[result.hand_in] = self.end, len(line)
        self.end += len(line)

    def tidy(self, kept: set[str]) -> None:
        """One line each, in the order of their names, of these hand-ins. Raises ClassError."""
        _write_sorted(self.file, dict.fromkeys(kept & self._places.keys(), self))
        self._index()


def merge(folder: Path) -> Results:
    """Join the files of all shards in a folder. Raises ClassError where there are none."""
    shards = sorted(folder.glob("results-*-of-*.jsonl"))
    if not shards:
        raise ClassError(f"There are no results of shards in {folder}: name the folder of --out.")
    _refuse_incomplete(shards)
    parts = map(Results, shards)
    _write_sorted(folder / NAME, {hand_in: part for part in parts for hand_in in part.hand_ins})
    return Results(folder / NAME)


def _write_sorted(file: Path, places: Mapping[str, Results]) -> None:
    """One line a hand-in, each from where it is known; the whole file or the one that was there."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        with fresh.open("wb") as stream:
            for hand_in in sorted(places):
                stream.write(places[hand_in].line(hand_in))
        os.replace(fresh, file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise cannot_write(file, error) from None


def _refuse_incomplete(shards: list[Path]) -> None:
    ends = {int(shard.stem.rpartition("-")[2]) for shard in shards}
    if len(ends) > 1:
        raise ClassError(
            f"{shards[0].parent} has shards of {min(ends)} and of {max(ends)}: keep one run's."
        )
    there = {int(shard.stem.split("-")[1]) for shard in shards}
    if missing := sorted(set(range(1, max(ends) + 1)) - there):
        named = ", ".join(f"{number}/{max(ends)}" for number in missing[:5])
        raise ClassError(f"Of these shards there are no results yet: {named}; run them first.")


def cannot_write(place: Path, error: OSError) -> ClassError:
    return ClassError(
        f"{place} can't be written ({error.strerror}): make room, or name another folder; then "
        "go on with --resume."
    )


def write(file: Path, content: str | bytes) -> None:
    """A whole file, or the one that was there. Raises ClassError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(
            file, content.encode("utf-8", "replace") if isinstance(content, str) else content
        )
    except OSError as error:
        raise cannot_write(file, error) from None
