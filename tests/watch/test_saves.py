"""A save is noticed, however an editor writes it, and where the system tells nothing."""

import os
import threading

import pytest

from token_journey.watch import saves
from token_journey.watch.saves import Saves

NAME = "s03_rms_norm"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / f"{NAME}.py").write_text("x = 1\n")
    return tmp_path


def by_rename(folder):
    (folder / "new").write_text("x = 2\n")
    os.replace(folder / "new", folder / f"{NAME}.py")


WAYS = {
    "written": lambda folder: (folder / f"{NAME}.py").write_text("x = 22\n"),
    "by rename": by_rename,
    "deleted": lambda folder: (folder / f"{NAME}.py").unlink(),
    "touched": lambda folder: os.utime(folder / f"{NAME}.py", ns=(1, 1)),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_event_comes(folder, way):
    came = threading.Event()
    watched = Saves(folder, came.set)
    for _ in range(600):  # until the system's own watch has begun, too
        WAYS[way](folder)
        if came.wait(0.1):
            break
        (folder / f"{NAME}.py").write_text("x = 1\n")
    watched.close()
    assert came.is_set()
    assert watched.changed(told=True) == {NAME}
    assert watched.changed(told=True) == set()
    assert not watched.polls


@pytest.mark.parametrize("way", WAYS)
def test_without_events_it_is_found_by_looking(folder, way, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(saves.time, "monotonic", lambda: now[0])
    watched = Saves(folder, lambda: None, events=False)
    WAYS[way](folder)
    assert watched.changed() == set()  # it does not look all the time
    now[0] += 0.3
    assert watched.changed() == {NAME}


def test_a_save_that_no_event_told_turns_polling_on(folder, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(saves.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Saves, "_listen", lambda self: None)
    watched = Saves(folder, lambda: None)
    WAYS["written"](folder)
    now[0] += 1.1
    assert watched.changed() == {NAME}
    assert not watched.polls  # the event may be late
    now[0] += 2.1
    assert watched.changed() == set()
    assert watched.polls


def test_an_event_that_is_late_leaves_it_off(folder, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(saves.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Saves, "_listen", lambda self: None)
    watched = Saves(folder, lambda: None)
    WAYS["written"](folder)
    now[0] += 1.1
    assert watched.changed() == {NAME}
    assert watched.changed(told=True) == set()
    now[0] += 10
    watched.changed()
    assert not watched.polls


def test_what_is_no_source_is_not_looked_at(folder):
    watched = Saves(folder, lambda: None, events=False)
    for name in ("s03_rms_norm.old.py", "notes.txt", ".s03_rms_norm.py.swp", "4913"):
        (folder / name).write_text("x")
    assert watched.changed(told=True) == set()


def test_a_folder_that_is_gone(folder):
    watched = Saves(folder, lambda: None, events=False)
    (folder / f"{NAME}.py").unlink()
    folder.rmdir()
    assert watched.changed(told=True) == {NAME}
