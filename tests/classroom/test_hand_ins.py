"""What students leave, and what sites make of it: whose it is, and which stages count."""

import io
import json
import os
import shutil
import stat
import tarfile
import zipfile

import pytest
from made_up import COURSE

from token_journey.classroom.collecting import collect
from token_journey.classroom.hand_ins import found_in
from token_journey.classroom.unpacking import Limits, Refused, of_a_hand_in, unpack
from token_journey.course.stubs import write_stubs
from token_journey.errors import ClassError

NORM = "s03_rms_norm.py"
MINE = b"def rms_norm(x, weight, eps):\n    return x\n"


def put(folder, **files):
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def zipped(file, **files):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


def tarred(file, *members):
    with tarfile.open(file, "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return file


def member(name, size=0, kind=tarfile.REGTYPE, link=""):
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname = size, kind, link
    return made


def collected(place):
    """By key: name, number, the files that count, and the remarks."""
    with found_in(place, COURSE) as hand_ins:
        return {
            h.key: (h.name, h.number, collect(h, COURSE).files, collect(h, COURSE).remarks)
            for h in hand_ins
        }


def one(place):
    (found,) = collected(place).values()
    return found[2], " | ".join(found[3])


# -- whose it is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, key, name, number",
    [
        (f"maria/{NORM}", "maria", "maria", ""),
        (f"Maria Solér/{NORM}", "Maria Solér", "Maria Solér", ""),
        (f'O\'Brien "Pat"/{NORM}', 'O\'Brien "Pat"', 'O\'Brien "Pat"', ""),
        (f"علي/{NORM}", "علي", "علي", ""),
        (f"maria_{NORM}", "maria", "maria", ""),
        (f"Maria Soler_47_assignsubmission_file_/{NORM}", "Maria Soler 47", "Maria Soler", "47"),
        (f"Maria Soler_47_assignsubmission_file_{NORM}", "Maria Soler 47", "Maria Soler", "47"),
        (f"solermaria_LATE_47_99_{NORM}", "solermaria 47", "solermaria", "47"),
        ("solermaria_47_99_s03_rms_norm-2.py", "solermaria 47", "solermaria", "47"),
        (f"submission_47/{NORM}", "submission_47 47", "submission_47", "47"),
    ],
)
def test_whose_it_is(path, key, name, number, tmp_path):
    put(tmp_path, **{path: MINE})
    assert {k: found[:3] for k, found in collected(tmp_path).items()} == {
        key: (name, number, {NORM: MINE})
    }


def test_one_name_twice_is_two_people_where_a_site_says_so(tmp_path):
    for number in (1, 2):
        put(tmp_path, **{f"Ann Lee_{number}_assignsubmission_file_/{NORM}": MINE})
    assert list(collected(tmp_path)) == ["Ann Lee 1", "Ann Lee 2"]


def test_loose_files_of_one_person_are_one_hand_in(tmp_path):
    put(tmp_path, **{f"leeann_1_9_{NORM}": MINE, "leeann_1_8_s04_rope-1.py": b"x = 1"})
    assert collected(tmp_path)["leeann 1"][2] == {NORM: MINE, "s04_rope.py": b"x = 1"}


def test_a_folder_of_stages_is_one_hand_in(tmp_path):
    put(tmp_path / "maria", **{NORM: MINE})
    assert list(collected(tmp_path / "maria")) == ["maria"]


def test_the_instructors_own_files_are_nobodys(tmp_path):
    put(tmp_path, **{f"maria/{NORM}": MINE, "roster.csv": b"", "notes.txt": b"", ".git/x.py": b""})
    assert list(collected(tmp_path)) == ["maria"]


@pytest.mark.parametrize("pack", ["zip", "gztar", "tar"])
def test_the_whole_class_in_an_archive(pack, tmp_path):
    put(tmp_path / "in", **{f"maria/{NORM}": MINE, "pau/report.pdf": b"%PDF", "jo_1_2_a.pdf": b""})
    zipped(tmp_path / "in" / "nora.zip", **{f"deep/er/{NORM}": MINE})
    archive = shutil.make_archive(str(tmp_path / "class"), pack, tmp_path, "in")
    found = collected(type(tmp_path)(archive))
    assert {key: list(each[2]) for key, each in found.items()} == {
        "jo 1": [],
        "maria": [NORM],
        "nora": [NORM],
        "pau": [],
    }


# -- what counts ------------------------------------------------------------------------------


def test_the_most_complete_set_counts_and_that_is_said(tmp_path):
    write_stubs(COURSE.reference, tmp_path / "maria" / "exercises")
    put(tmp_path / "maria" / "mine", **{NORM: MINE, "s04_rope.py": b"x = 1"})
    files, said = one(tmp_path)
    assert files[NORM] == MINE and files["s04_rope.py"] == b"x = 1"
    assert "stages are there twice: what lies in exercises does not count" in said


def test_a_stage_may_lie_in_a_folder_of_its_own(tmp_path):
    put(tmp_path / "maria", **{f"stage 3/{NORM}": MINE, "stage 4/s04_rope.py": b"x = 1"})
    files, said = one(tmp_path)
    assert files == {NORM: MINE, "s04_rope.py": b"x = 1"}
    assert said == "stages lie in several places: 4 in stage 4"


def test_folders_without_end_end(tmp_path):
    deep = tmp_path.joinpath("maria", *["d"] * 300)
    put(deep, **{NORM: MINE})
    put(tmp_path / "maria", **{"s04_rope.py": MINE})
    files, said = one(tmp_path)
    assert list(files) == ["s04_rope.py"] and "a folder lies too deep in others" in said


def test_archives_share_what_they_may_hold(tmp_path):
    """No archive of many archives is more than one."""
    inner = zipped(tmp_path / "0.zip", **{"s04_rope.py": bytes(60 << 20)}).read_bytes()
    (tmp_path / "in").mkdir()
    zipped(tmp_path / "in" / "maria.zip", **{f"{n}.zip": inner for n in range(9)})
    said = one(tmp_path / "in")[1]
    assert "8.zip: it holds too much" in said


def test_nothing_at_all_is_said(tmp_path):
    (tmp_path / "maria").mkdir()
    assert one(tmp_path) == ({}, "no stage was handed in")


def test_what_no_person_handed_in_is_passed_over(tmp_path):
    rubbish = (".venv", "__MACOSX", "__pycache__", "venv")
    put(tmp_path / "maria", **{f"{name}/{NORM}": b"no" for name in rubbish})
    put(tmp_path / "maria", **{NORM: MINE, f"._{NORM}": b"no"})
    assert one(tmp_path) == ({NORM: MINE}, "")


def test_helpers_come_along_and_what_steers_the_grader_does_not(tmp_path):
    put(
        tmp_path / "maria",
        **{NORM: MINE, "helper.py": b"x = 1", "conftest.py": b"", "x_test.py": b""},
    )
    files, said = one(tmp_path)
    assert list(files) == ["helper.py", NORM]
    assert "conftest.py would steer the grader" in said and "x_test.py would steer" in said


def test_a_second_download_counts_where_there_is_no_first(tmp_path):
    put(tmp_path / "maria", **{"s03_rms_norm (1).py": b"1", "s03_rms_norm (2).py": MINE})
    files, said = one(tmp_path)
    assert files == {NORM: MINE} and "s03_rms_norm (2).py is taken for" in said
    put(tmp_path / "maria", **{NORM: b"plain"})
    files, said = one(tmp_path)
    assert files == {NORM: b"plain"} and f"{NORM} counts, not s03_rms_norm (2).py" in said


def test_a_file_that_nobody_wrote_is_marked(tmp_path):
    write_stubs(COURSE.reference, tmp_path / "maria")
    right = (COURSE.reference / NORM).read_bytes()
    put(tmp_path / "maria", **{NORM: b"# mine!\n" + right.replace(b"\n\n\n", b"\n\n\n\n")})
    _, said = one(tmp_path)
    assert "the same as the stub: 1, 2, 4, 5, 6, 7, 8, 9, 10" in said
    assert "the same as the reference: 3" in said


def test_a_notebook_is_a_hand_in(tmp_path):
    cell = {"cell_type": "code", "source": ["%%stage rms_norm\n", MINE.decode()]}
    put(tmp_path, **{"nora.ipynb": json.dumps({"cells": [cell, cell]}).encode()})
    files, said = one(tmp_path)
    assert files[NORM].endswith(b"\n" + MINE)
    assert said == "nora.ipynb: the last cell of a stage counts: rms_norm"
    put(tmp_path, **{"nora.ipynb": b"{}"})
    assert "can't be read as a notebook" in one(tmp_path)[1]


def test_a_notebook_that_nobody_wrote_in_is_marked(tmp_path):
    write_stubs(COURSE.reference, tmp_path / "stubs")
    files = sorted((tmp_path / "stubs").glob("s*.py"))
    texts = [f"%%stage {file.stem}\n{file.read_text('utf-8')}" for file in files]
    cells = [{"cell_type": "code", "source": text} for text in texts]
    put(tmp_path / "in", **{"nora.ipynb": json.dumps({"cells": cells}).encode()})
    assert "the same as the stub: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10" in one(tmp_path / "in")[1]


def test_links_and_pipes_are_left_out(tmp_path):
    (tmp_path / "maria").mkdir()
    (tmp_path / "maria" / NORM).symlink_to(COURSE.reference / NORM)
    os.mkfifo(tmp_path / "maria" / "s04_rope.py")
    files, said = one(tmp_path)
    assert files == {} and f"{NORM} is a link" in said


def test_a_huge_file_is_left_out(tmp_path):
    put(tmp_path / "maria", **{NORM: b"#" * (1 << 20) + b"\n", "s04_rope.py": MINE})
    files, said = one(tmp_path)
    assert list(files) == ["s04_rope.py"] and "more than 1 MB" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_an_unreadable_folder_is_said(tmp_path):
    put(tmp_path / "maria", **{NORM: MINE})
    (tmp_path / "maria").chmod(0)
    try:
        assert "can't be read" in one(tmp_path)[1]
    finally:
        (tmp_path / "maria").chmod(0o700)


def test_nothing_in_the_hand_ins_is_changed(tmp_path):
    put(tmp_path, **{f"maria/{NORM}": MINE})
    zipped(tmp_path / "pau.zip", **{NORM: MINE})
    tree = {file: (file.stat().st_mtime_ns, file.stat().st_mode) for file in tmp_path.rglob("*")}
    collected(tmp_path)
    assert {f: (f.stat().st_mtime_ns, f.stat().st_mode) for f in tmp_path.rglob("*")} == tree


# -- archives that were made to hurt ----------------------------------------------------------


def test_no_name_leads_outside(tmp_path):
    outside = {f"../../{NORM}": MINE, f"/tmp/{NORM}": MINE, f"..\\{NORM}": MINE}
    zipped(tmp_path / "in.zip", **outside, **{NORM: MINE})
    tarred(tmp_path / "in.tgz", *((member(name, len(MINE)), MINE) for name in outside))
    for archive in ("in.zip", "in.tgz"):
        into = tmp_path / archive.replace(".", "-") / "deep" / "er"
        said = unpack(tmp_path / archive, into, of_a_hand_in())
        assert said == ["a name in it points outside, and is left out"]
    written = {f.relative_to(tmp_path).as_posix() for f in tmp_path.rglob("*.py")}
    assert written == {f"in-zip/deep/er/{NORM}"}


def test_links_in_archives_are_left_out(tmp_path):
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
    links = [(member(f"{k!r}/{NORM}", kind=k, link="/etc/passwd"), b"") for k in kinds]
    tarred(tmp_path / "in.tgz", *links)
    link = zipfile.ZipInfo(NORM)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    for archive in ("in.tgz", "in.zip"):
        assert "link" in unpack(tmp_path / archive, tmp_path / "out", of_a_hand_in())[0]
    assert not (tmp_path / "out").exists()


def test_bombs_are_refused(tmp_path):
    zeros = bytes(3 << 20)
    zipped(tmp_path / "large.zip", **{f"s0{n}.py": zeros for n in range(9)})
    zipped(tmp_path / "many.zip", **{f"{n}.txt": b"" for n in range(300)})
    tarred(tmp_path / "read.tgz", (member("x.bin", 30 << 20), bytes(30 << 20)))
    for name in ("large.zip", "many.zip", "read.tgz"):
        with pytest.raises(Refused, match="it holds too much"):
            unpack(tmp_path / name, tmp_path / "out", Limits(200, 20 << 20, 10 << 20))
    kept = sum(f.stat().st_size for f in (tmp_path / "out").rglob("*") if f.is_file())
    assert kept <= 10 << 20


def test_a_zip_that_lies_about_its_sizes(tmp_path):
    """What it announces is what is read of it."""
    file = zipped(tmp_path / "in.zip", **{NORM: b"#" * 500})
    data = file.read_bytes()
    file.write_bytes(data.replace((500).to_bytes(4, "little"), (5).to_bytes(4, "little")))
    with pytest.raises(Refused, match="damaged"):
        unpack(file, tmp_path / "out", of_a_hand_in())


def test_a_list_of_members_that_fills_the_memory_is_not_read(tmp_path):
    record = b"PK\5\6" + bytes(8) + (100 << 20).to_bytes(4, "little") + bytes(6)
    (tmp_path / "in.zip").write_bytes(bytes(200) + record)
    with pytest.raises(Refused, match="too many files"):
        unpack(tmp_path / "in.zip", tmp_path / "out", of_a_hand_in())


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz", "x.tar.xz", "x.tar.bz2"])
@pytest.mark.parametrize("content", [b"", b"PK\3\4nonsense", b"\x1f\x8b\x08nonsense", b"a" * 999])
def test_what_is_no_archive_costs_its_own_marks_only(name, content, tmp_path):
    put(tmp_path, **{name: content, f"maria/{NORM}": MINE})
    found = collected(tmp_path)
    assert found["maria"][2] == {NORM: MINE} and found["x"][2] == {}
    assert "no stage was handed in" in found["x"][3]


def test_archives_in_archives(tmp_path):
    inner = zipped(tmp_path / "0.zip", **{NORM: MINE}).read_bytes()
    for depth in range(1, 6):
        inner = zipped(tmp_path / "n.zip", **{f"{depth}.zip": inner}).read_bytes()
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "maria.zip").write_bytes(inner)
        files, said = one(tmp_path / "in")
        assert bool(files) == (depth < 3) and ("too deep" in said) == (depth >= 3)


def test_other_archives_are_named(tmp_path):
    put(tmp_path, **{"maria.rar": b"Rar!"})
    assert "maria.rar can't be opened here: hand in a zip" in one(tmp_path)[1]


# -- what is no class -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, content, why",
    [
        ("nowhere", None, "is not there"),
        ("notes.txt", b"", "is no folder, zip or tar"),
        ("in.zip", b"nonsense", "is not opened"),
    ],
)
def test_what_is_no_class_is_one_sentence(name, content, why, tmp_path):
    if content is not None:
        put(tmp_path, **{name: content})
    with pytest.raises(ClassError, match=why), found_in(tmp_path / name, COURSE):
        pass


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(ClassError, match="There is nothing in"), found_in(tmp_path, COURSE):
        pass
