"""The list of a class: who is in it, and whose hand-in is whose."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from token_journey.errors import ClassError

# What sites call their columns, in letters and digits alone.
_COLUMNS = {
    "id": ("id", "studentid", "idnumber", "sisuserid", "sid", "participant", "identifier"),
    "name": ("name", "fullname", "student", "studentname"),
    "first": ("firstname", "givenname", "givennames"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "login": ("sisloginid", "login", "loginid", "username"),
}


@dataclass(frozen=True)
class Student:
    """Empty where it is not known. `id` is the number that a site or a school gave."""

    name: str
    id: str = ""
    email: str = ""
    login: str = ""
    site: str = ""  # Canvas's own number, beside the school's

    @property
    def handles(self) -> set[str]:
        """By what a hand-in of theirs may be called."""
        said = (self.id, self.site, self.email, self.email.partition("@")[0], self.login, self.name)
        return {folded(each) for each in (*said, sorted_words(self.name))} - {""}


def folded(text: str) -> str:
    """Letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def sorted_words(name: str) -> str:
    """ "Soler, Maria" and "Maria Soler" are one."""
    return "".join(sorted(map(folded, re.split(r"[\s,._-]+", name))))


def read_roster(file: Path) -> list[Student]:
    """Raises ClassError for what is no list with ids or addresses, each once."""
    table = read_table(file)
    columns = _columns(table[0], file)
    students = [_student(row, columns) for row in table if any(row.values())]
    if not students:
        raise ClassError(f"{file} has no students: below its first line goes one line for each.")
    for what in ("id", "email"):
        seen: set[str] = set()
        for value in filter(None, (getattr(s, what).casefold() for s in students)):
            if value in seen:
                raise ClassError(f"{file} has the {what} {value!r} twice: leave one of them.")
            seen.add(value)
    return students


def read_table(file: Path) -> list[dict[str, str]]:
    """Rows of a CSV file by its first line. Raises ClassError."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ClassError(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ClassError(f"{file} is not UTF-8: save it as CSV in UTF-8.") from None
    try:
        first = text.partition("\n")[0]
        separator = max(",;\t", key=first.count)
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ClassError(f"{file} is no CSV file ({error}).") from None
    if not rows:
        raise ClassError(f"{file} has no lines below its first one, which names the columns.")
    return [{k: (v or "").strip() for k, v in row.items() if isinstance(k, str)} for row in rows]


def _columns(row: Mapping[str, str], file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for what, names in _COLUMNS.items():
        called = [column for name in names for column in row if folded(column) == name]
        if called:
            found[what] = called[0]
            if what == "id" and len(called) > 1:  # Canvas: its own ID, and the school's
                found["id"], found["site"] = called[1], called[0]
    if not {"id", "email", "login"} & found.keys():
        raise ClassError(
            f"{file} has no column of ids or e-mail addresses: call one `id` or `email`."
        )
    return found


def _student(row: Mapping[str, str], columns: Mapping[str, str]) -> Student:
    said = {what: row.get(column, "") for what, column in columns.items()}
    whole = f"{said.pop('first', '')} {said.pop('last', '')}".strip()
    name = said.pop("name", "") or whole or said.get("email", "") or said.get("id", "")
    return Student(name=name, **said)


def matched(
    students: Sequence[Student], hand_ins: Iterable[tuple[str, str, str]]
) -> dict[str, Student | None]:
    """Whose each hand-in is: key, name and number of a hand-in to a student, or to nobody.

    A number decides, then a name; what fits two students is nobody's.
    """
    by_handle: dict[str, set[Student]] = {}
    for student in students:
        for handle in student.handles:
            by_handle.setdefault(handle, set()).add(student)
    found: dict[str, Student | None] = {}
    for key, name, number in hand_ins:
        said = (number, folded(key), folded(name), sorted_words(name))
        fits = (by_handle.get(each, set()) for each in said if each)
        found[key] = next((next(iter(fit)) for fit in fits if len(fit) == 1), None)
    return found
