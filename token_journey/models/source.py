"""Where a checkpoint's files lie, and reading them by byte range.

A folder, a repository on the Hugging Face hub (through huggingface_hub, with
its own token settings), or the address of a folder on a web server. Nothing
touches the network unless the user named a repository or an address. Every
source counts the bytes that it hands out.
"""

from __future__ import annotations

import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from token_journey.errors import CheckpointError
from token_journey.foreign import foreign

# Of a file on the network so much is asked for at a time.
_PIECE = 16 * 2**20
# A server may go without progress for so many seconds; progress is so many bytes.
PATIENCE = 30.0
_LEAST = 1024
# Between tries, in parts of the patience.
_PAUSES = (1 / 60, 1 / 30)
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# A commit never changes, so what was published of one can be compared for ever.
PINNED = {"gplsi/Aitana-2B-S": "6451cdb022d329cf575b2e7854f495af68d71812"}

T = TypeVar("T")


@dataclass
class Counted:
    """The bytes that were read so far; `report` is told of each piece."""

    total: int = 0
    report: Callable[[int], object] = field(default=lambda count: None)

    def add(self, count: int) -> None:
        self.total += count
        self.report(count)


class ByteSource(Protocol):
    """Files by their names; `origin` is what a pack says of where they came from."""

    counted: Counted
    origin: Mapping[str, Any]

    def size(self, name: str) -> int | None:
        """How many bytes a file has, or None where there is no such file."""

    def read_into(self, name: str, start: int, into: memoryview) -> None:
        """Fill `into` with the bytes from `start` on. Raises CheckpointError."""

    def names(self) -> list[str] | None:
        """All files, or None where they can't be listed."""

    def stamps(self, names: Sequence[str]) -> list[Any]:
        """What changes when one of the files does."""


def open_source(model: str, revision: str | None = None) -> ByteSource:
    """The source that a user means: a folder if there is one, a repository or an address if not.

    Raises CheckpointError.
    """
    if model.startswith(("http://", "https://")):
        if revision:
            raise CheckpointError("An address has no revisions: leave out --revision.")
        return WebFolder(model)
    if Path(model).is_dir():
        if revision:
            raise CheckpointError(f"{model} is a folder here, without revisions: leave it out.")
        return LocalFolder(Path(model))
    if _HUB_ID.fullmatch(model) and ".." not in model and not Path(model).exists():
        return HubRepository(model, revision or PINNED.get(model))
    raise CheckpointError(
        f"{model} is neither a folder here nor a repository's name such as gplsi/Aitana-2B-S: "
        "name the folder that holds config.json."
    )


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self.counted = Counted()
        # <cache>/models--gplsi--Aitana-2B-S/snapshots/<commit>
        kind, *repository = self.folder.parent.parent.name.split("--")
        if self.folder.parent.name == "snapshots" and kind == "models" and len(repository) == 2:
            name, revision, source = "/".join(repository), self.folder.name, "the hub's cache"
        else:
            name, revision, source = foreign(self.folder.name), None, "a folder"
        self.origin: Mapping[str, Any] = {"id": name, "revision": revision, "source": source}

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def stamps(self, names: Sequence[str]) -> list[Any]:
        stats = [self._path(name).stat() for name in names]
        return [(stat.st_size, stat.st_mtime_ns) for stat in stats]

    def size(self, name: str) -> int | None:
        path = self._path(name)
        return path.stat().st_size if path.is_file() else None

    def read_into(self, name: str, start: int, into: memoryview) -> None:
        try:
            with self._path(name).open("rb") as stream:
                stream.seek(start)
                for place in range(0, len(into), _PIECE):
                    piece = into[place : place + _PIECE]
                    # A raw read may give less than it was asked for; this one does not.
                    if stream.readinto(piece) != len(piece):
                        raise CheckpointError(f"{name} ends early: fetch the file again.")
                    self.counted.add(len(piece))
        except OSError as error:
            raise CheckpointError(f"{name} can't be read: {error.strerror or error}.") from None

    def _path(self, name: str) -> Path:
        """Raises CheckpointError for a link out of the folder, but for the hub cache's own."""
        path = self.folder / name
        real = path.resolve()
        # <cache>/models--…/snapshots/<commit>/model.safetensors -> ../../blobs/<hash>
        blobs = self.folder.parent.parent / "blobs"
        in_cache = self.folder.parent.name == "snapshots" and real.parent == blobs
        if real.parent != self.folder and not in_cache:
            raise CheckpointError(
                f"{name} is a link that leads out of {self.folder}: put the file itself there."
            )
        return path


class _Broken(Exception):
    """What may be otherwise a moment later; the message goes on after the address."""


class WebFolder:
    """A folder on a web server that serves byte ranges; the hub's token is never sent there.

    patience: for so many seconds the server may do nothing that counts as progress
    """

    def __init__(self, address: str, patience: float = PATIENCE):
        self._base = address.rstrip("/") + "/"
        self._patience = patience
        self.counted = Counted()
        about = {"id": address, "revision": None, "source": "a web server"}
        self.origin: Mapping[str, Any] = about
        self._sizes: dict[str, int | None] = {}

    def names(self) -> list[str] | None:
        return None

    def stamps(self, names: Sequence[str]) -> list[Any]:
        return [self.size(name) for name in names]

    def size(self, name: str) -> int | None:
        if name not in self._sizes:
            self._sizes[name] = self._tried(name, lambda: self._asked_size(name))
        return self._sizes[name]

    def _asked_size(self, name: str) -> int | None:
        answers = while_it_moves(lambda: self._answer(name, 0, 1), self._patience)
        size = next(answers, None)
        answers.close()
        return size if isinstance(size, int) else None

    def read_into(self, name: str, start: int, into: memoryview) -> None:
        for place in range(0, len(into), _PIECE):
            piece = into[place : place + _PIECE]
            self._read_piece(name, start + place, piece)
            self.counted.add(len(piece))

    def _read_piece(self, name: str, begin: int, piece: memoryview) -> None:
        """Each try goes on where the one before broke off."""
        filled = 0

        def read_on() -> None:
            nonlocal filled
            begun, end = begin + filled, begin + len(piece)
            for part in while_it_moves(lambda: self._answer(name, begun, end), self._patience):
                if isinstance(part, bytes):
                    piece[filled : filled + len(part)] = part
                    filled += len(part)
            if filled < len(piece):
                raise _Broken("broke off")

        self._tried(name, read_on)

    def _tried(self, name: str, act: Callable[[], T]) -> T:
        """What is done, at the third try if it must be. Raises CheckpointError."""
        broken = ""
        for pause in (0.0, *_PAUSES):
            time.sleep(pause * self._patience)
            try:
                return act()
            except CheckpointError:
                raise
            except (_Broken, TimeoutError) as error:
                broken = str(error)
            except Exception as error:  # whatever the HTTP library calls its errors
                broken = f"can't be reached ({type(error).__name__})"
        raise CheckpointError(
            f"{self._base}{name} {broken}, in {1 + len(_PAUSES)} tries: check the connection and "
            "the server; a streamed capture goes on where it stopped."
        )

    def _answer(self, name: str, start: int, stop: int) -> Iterator[int | bytes]:
        """The answer to a GET: the file's size, and the bytes; nothing where there is no file.

        Raises CheckpointError for what is not the bytes that were asked for.
        """
        from huggingface_hub import get_session

        address = self._base + name
        asked = {"range": f"bytes={start}-{stop - 1}", "accept-encoding": "identity"}
        headers = {**self._headers(), **asked}
        # Whoever watches loses patience first; then nobody is left waiting, either.
        limit = 2 * self._patience
        with get_session().stream("GET", address, headers=headers, timeout=limit) as answer:
            if answer.status_code in (404, 416):
                return
            # A server may give a small file whole, whatever was asked for.
            whole = answer.status_code == 200 and (start, stop) == (0, self._sizes.get(name))
            if not whole:
                self._refuse(address, answer)
            _refuse_compressed(address, answer)
            yield stop if whole else _whole_size(address, answer, start, stop)
            left = stop - start
            for part in answer.iter_raw():
                left -= len(part)
                if left < 0:
                    raise CheckpointError(f"{address} gave more than asked for.")
                yield part

    def _headers(self) -> dict[str, str]:
        """What is sent along."""
        return {}

    def _refuse(self, address: str, answer: Any) -> None:
        """Raises CheckpointError, and _Broken where it is the server that is in trouble."""
        if answer.status_code == 200:
            raise CheckpointError(
                f"{address} is not served by byte ranges: copy the checkpoint to a folder."
            )
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            raise _Broken(f"was refused with status {answer.status_code}")
        if answer.status_code != 206:
            raise CheckpointError(
                f"{address} was refused with status {answer.status_code}: check the address."
            )


def _refuse_compressed(address: str, answer: Any) -> None:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise CheckpointError(
            f"{address} is sent compressed, which was not asked for: copy the checkpoint to a "
            "folder."
        )


def _whole_size(address: str, answer: Any, start: int, stop: int) -> int:
    """The file's size, from `content-range: bytes 0-0/4506995440`."""
    told = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if told is None:
        raise CheckpointError(
            f"{address} does not say how large it is: copy the checkpoint to a folder."
        )
    first, last, size = map(int, told.groups())
    if (first, last) != (start, stop - 1) or size < stop:
        raise CheckpointError(
            f"{address} gave other bytes than asked for: copy the checkpoint to a folder."
        )
    return size


def while_it_moves(parts: Callable[[], Iterator[T]], patience: float) -> Generator[T]:
    """What an iterator yields as long as it makes progress, however long that takes in all.

    Of bytes only _LEAST of them are progress. The iterator runs in a thread of its own, so nothing
    that it waits for (a name, a connection, a line of a header) can take longer than `patience`.

    Raises TimeoutError.
    """
    arrived: queue.SimpleQueue[T | BaseException | None] = queue.SimpleQueue()
    nobody_listens = threading.Event()

    def work() -> None:
        try:
            for part in parts():
                arrived.put(part)
                if nobody_listens.is_set():
                    return
            arrived.put(None)
        except BaseException as error:
            arrived.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        yield from _in_time(arrived, patience)
    finally:
        nobody_listens.set()


def _in_time(arrived: queue.SimpleQueue[T | BaseException | None], patience: float) -> Iterator[T]:
    until, few = time.monotonic() + patience, 0
    while True:
        try:
            part = arrived.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(f"made no progress for {patience:g} seconds") from None
        if part is None:
            return
        if isinstance(part, BaseException):
            raise part
        few += len(part) if isinstance(part, bytes) else _LEAST
        if few >= _LEAST:
            until, few = time.monotonic() + patience, 0
        yield part


class HubRepository(WebFolder):
    """A repository on the hub at one commit; the user's token is sent to the hub alone.

    patience: for so many seconds the hub may do nothing that counts as progress
    """

    def __init__(self, repository: str, revision: str | None, patience: float = PATIENCE):
        from huggingface_hub import HfApi

        hub = HfApi()
        try:
            about = hub.model_info(
                repository, revision=revision, files_metadata=True, timeout=patience
            )
        except Exception as error:  # not there, private, gated, offline: all are said in one line
            said = str(error).strip().splitlines()
            raise CheckpointError(
                f"{repository} can't be opened on the hub ({said[0] if said else 'no answer'}): "
                "check its name, your connection, and `hf auth login` where it asks for one."
            ) from None
        super().__init__(f"{hub.endpoint}/{repository}/resolve/{about.sha}", patience)
        siblings = about.siblings or []
        self._sizes = {file.rfilename: file.size for file in siblings}
        self._commit = about.sha
        self._repository = repository
        hashes = {file.rfilename: file.lfs.sha256 for file in siblings if file.lfs}
        self.origin = {
            "id": repository,
            "revision": about.sha,
            "license": getattr(about.card_data, "license", None),
            "source": f"the Hugging Face hub, {repository} at {about.sha}",
            "files_sha256": hashes,
        }

    def names(self) -> list[str]:
        return sorted(self._sizes)

    def stamps(self, names: Sequence[str]) -> list[Any]:
        return [self._commit]

    def size(self, name: str) -> int | None:
        return self._sizes.get(name)

    def _headers(self) -> dict[str, str]:
        from huggingface_hub import utils

        untyped: Any = utils
        headers: dict[str, str] = untyped.build_hf_headers()
        return headers

    def _refuse(self, address: str, answer: Any) -> None:
        """The hub describes a gated repository to anyone, and keeps its files back."""
        if answer.headers.get("x-error-code") == "GatedRepo":
            raise CheckpointError(self._gated)
        super()._refuse(address, answer)

    @property
    def _gated(self) -> str:
        return (
            f"{self._repository} is given only to those who were let in: ask for access on "
            "its page on the hub, then `hf auth login`."
        )

    def download(self, names: Sequence[str]) -> Path:
        """Whole files, in the hub's own cache. Raises CheckpointError."""
        from huggingface_hub import snapshot_download, utils
        from huggingface_hub.errors import GatedRepoError

        untyped: Any = utils
        if not sys.stderr.isatty():  # a log would get its bars again and again
            untyped.disable_progress_bars()
        try:
            return Path(
                snapshot_download(
                    self._repository,
                    revision=self._commit,
                    allow_patterns=list(names),
                )
            )
        except GatedRepoError:
            raise CheckpointError(self._gated) from None
        except Exception as error:
            raise CheckpointError(
                f"{self._repository} can't be downloaded ({type(error).__name__}): try again."
            ) from None
