"""Archives that a stranger made: only what may be a stage is taken out, and only so much of it."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import BadGzipFile
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_FOREIGN = (".rar", ".7z")
_SKIPPED = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv", "env"}
_BLOCK = 1 << 20
# Of a zip: the list of all that is in it, which Python reads whole. 46 bytes and a name a file.
_MOST_LISTED = 20 << 20


class Refused(Exception):
    """An archive that is not opened, or not to its end; the message says why."""


@dataclass
class Limits:
    """What may still come out of archives: members, bytes that are read, bytes that are kept."""

    members: int
    read: int
    kept: int


def of_a_hand_in() -> Limits:
    return Limits(members=200_000, read=4 << 30, kept=128 << 20)


def of_a_class() -> Limits:
    return Limits(members=20_000_000, read=1 << 40, kept=32 << 30)


def is_archive(name: str) -> bool:
    return name.casefold().endswith(ARCHIVES)


def is_foreign(name: str) -> bool:
    """An archive that nothing here can open."""
    return name.casefold().endswith(_FOREIGN)


def is_skipped(name: str) -> bool:
    """A file or folder that no person handed in on purpose."""
    return name.startswith(".") or name in _SKIPPED


def may_count(name: str) -> bool:
    plain = name.casefold()
    return plain.endswith((".py", ".ipynb")) or is_archive(name) or is_foreign(name)


def unpack(archive: Path, into: Path, limits: Limits) -> list[str]:
    """Write what may count of an archive below `into`; return what to say of the rest.

    limits: what several archives may hold together; what this one has is taken off

    Of what may not count, the first parts of its path are made, and empty: somebody handed in.
    Raises Refused for what is no archive, and for one that holds too much, with what came out of
    it until then; and OSError where `into` can't be written.
    """
    said: set[str] = set()
    try:
        for name, size, stream in _members(archive, limits, said):
            limits.members -= 1
            limits.kept -= 0 if stream is None else size
            if limits.members < 0 or limits.kept < 0:
                raise Refused("it holds too much")
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if not parts or parts[0] == "/" or ".." in parts or "\0" in name:
                said.add("a name in it points outside, and is left out")
            elif not any(map(is_skipped, parts)):
                place = into.joinpath(*map(_short, parts))
                if stream is None:
                    _trace(
                        into.joinpath(*map(_short, parts[:2])), len(parts) > 2 or name.endswith("/")
                    )
                else:
                    _keep(stream, place)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise Refused("a file and a folder in it have one name") from None
    except (EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, BadGzipFile):
        raise Refused("it is damaged, or no archive") from None
    except (RuntimeError, NotImplementedError, ValueError, OverflowError):
        raise Refused("it is encrypted, or of an unusual kind") from None
    return sorted(said)


# Its name, how many bytes it has, and those bytes where it may count.
_Member = tuple[str, int, IO[bytes] | None]


def _members(archive: Path, limits: Limits, said: set[str]) -> Iterator[_Member]:
    zipped = archive.name.casefold().endswith(".zip")
    return _zipped(archive, said) if zipped else _tarred(archive, limits, said)


def _zipped(archive: Path, said: set[str]) -> Iterator[_Member]:
    if _listed(archive) > _MOST_LISTED:
        raise Refused("it holds too many files")
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if stat.S_ISLNK(member.external_attr >> 16):
                said.add("a link in it is left out")
            elif member.is_dir() or not may_count(member.filename):
                yield member.filename, 0, None
            else:
                with opened.open(member) as stream:  # which gives no more than it announced
                    yield member.filename, member.file_size, stream


def _listed(archive: Path) -> int:
    """How many bytes the list of a zip's members has, from the record at its end."""
    with archive.open("rb") as stream:
        stream.seek(max(archive.stat().st_size - (1 << 17), 0))
        _, _, record = stream.read().rpartition(b"PK\5\6")
    return int.from_bytes(record[8:12], "little")


def _tarred(archive: Path, limits: Limits, said: set[str]) -> Iterator[_Member]:
    """To reach a member, all before it is read."""
    with tarfile.open(archive) as opened:
        while (member := opened.next()) is not None:
            opened.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
            limits.read -= member.size
            if limits.read < 0:
                raise Refused("it holds too much")
            if not member.isreg() and not member.isdir():
                said.add("a link in it is left out")
            elif member.isdir() or not may_count(member.name):
                yield member.name + "/" * member.isdir(), 0, None
            else:
                yield member.name, member.size, opened.extractfile(member)


def _trace(place: Path, folder: bool) -> None:
    (place if folder else place.parent).mkdir(parents=True, exist_ok=True)
    if not folder:
        place.touch()


def _keep(opened: IO[bytes], file: Path) -> None:
    """A second one of a name takes the place of the first, as in every unpacker."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as kept:
        while block := opened.read(_BLOCK):
            kept.write(block)


def _short(part: str) -> str:
    """A part of a path that every file system takes."""
    name = part.encode("utf-8", "replace")
    return os.fsdecode(name if len(name) <= 200 else name[:100] + name[-100:])
