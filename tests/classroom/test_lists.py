"""Rosters, points, and the file of results."""

from decimal import Decimal

import pytest
from made_up import STAGES, result, results_in, rows_of

from token_journey.classroom import results as results_module
from token_journey.classroom.points import read_points
from token_journey.classroom.results import NAME, Results, merge
from token_journey.classroom.roster import Student, matched, read_roster
from token_journey.errors import ClassError

# -- the roster -------------------------------------------------------------------------------


def written(folder, text):
    (folder / "file.csv").write_bytes(text.encode("utf-8-sig"))
    return folder / "file.csv"


@pytest.mark.parametrize(
    "text",
    [
        "id,name,email\n47,Maria Solér,m@x.es\n",
        "Email address;ID number;First name;Surname\nm@x.es;47;Maria;Solér\n",
        'Student,ID,SIS User ID,Email\n"Solér, Maria",9,47,m@x.es\n',
    ],
)
def test_a_roster_as_sites_write_it(text, tmp_path):
    (student,) = read_roster(written(tmp_path, text))
    assert (student.id, student.email) == ("47", "m@x.es")
    assert set(student.name.replace(",", "").split()) == {"Maria", "Solér"}


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "has no lines"),
        ("id,email\n", "has no lines"),
        ("name\nMaria\n", "has no column of ids or e-mail"),
        ("id\n1\n1\n", "has the id '1' twice"),
        ("email\na@x.es\nA@x.es\n", "has the email 'a@x.es' twice"),
        ("id,name\n,\n", "has no students"),
    ],
)
def test_a_roster_that_is_none_is_one_sentence(text, why, tmp_path):
    with pytest.raises(ClassError, match=why):
        read_roster(written(tmp_path, text))


def test_a_file_that_is_no_text_is_one_sentence(tmp_path):
    (tmp_path / "file.csv").write_bytes(b"id\n\xff\xfe\n")
    with pytest.raises(ClassError, match="is not UTF-8"):
        read_roster(tmp_path / "file.csv")


MARIA = Student("Maria Solér", "47", "soler.m@x.es", "msoler")


@pytest.mark.parametrize(
    "key, name, number",
    [
        ("47", "47", ""),
        ("x 47", "x", "47"),
        ("msoler", "msoler", ""),
        ("soler.m", "soler.m", ""),
        ("SOLER Maria", "SOLER Maria", ""),
        ("Soler, Maria", "Soler, Maria", ""),
        ("Maria Sole\u0301r", "Maria Sole\u0301r", ""),
    ],
)
def test_whose_a_hand_in_is(key, name, number):
    others = [Student("Pau", "48", "p@x.es"), Student("Maria Soto", "49")]
    assert matched([MARIA, *others], [(key, name, number)]) == {key: MARIA}


def test_what_fits_two_students_or_none_is_nobodys():
    twins = [Student("Ann Lee", "1"), Student("Ann Lee", "2")]
    said = [("Ann Lee", "Ann Lee", ""), ("Ann Lee 2", "Ann Lee", "2"), ("Jo", "Jo", "")]
    assert matched(twins, said) == {"Ann Lee": None, "Ann Lee 2": twins[1], "Jo": None}


def test_everybody_has_a_row_and_a_hand_in_of_nobodys_too(tmp_path):
    roster = [MARIA, Student("Pau", "48")]
    rows = list(rows_of(tmp_path, result("soler.m"), result("Jo"), roster=roster))
    assert [(row.student.name, row.sum) for row in rows] == [
        ("Jo", 10),
        ("Maria Solér", 10),
        ("Pau", 0),
    ]
    assert rows[0].remarks == ("this hand-in is nobody's on the roster",)
    assert rows[2].remarks == ("nothing was handed in",)


def test_of_two_hand_ins_of_one_student_the_better_counts(tmp_path):
    made = result("msoler", right=3), result("soler.m", right=7)
    (row,) = rows_of(tmp_path, *made, roster=[MARIA])
    assert row.key == "soler.m" and row.sum == Decimal("7.33")
    assert row.remarks == ("handed in 2 times: soler.m counts, not msoler",)


# -- points -----------------------------------------------------------------------------------


def test_all_or_nothing_a_share_and_steps(tmp_path):
    text = "stage,points,give\nrms_norm,2,all\n4,3,share\ns05_attention,4,50%:1 80%:2.5\n"
    points = read_points(written(tmp_path, text), STAGES)
    norm, rope, attention = (points[s.name] for s in STAGES[2:5])
    assert [norm.of(n, 10) for n in (0, 9, 10)] == [0, 0, 2]
    assert [rope.of(n, 7) for n in (0, 1, 7)] == [0, Decimal("0.43"), 3]
    assert [attention.of(n, 10) for n in (4, 5, 7, 8, 10)] == [0, 1, 1, Decimal("2.5"), 4]
    assert points["s01_tokenize"].of(3, 3) == 0


def test_half_a_hundredth_is_rounded_up(tmp_path):
    points = read_points(written(tmp_path, "stage,points\n1,1\n"), STAGES)
    assert points["s01_tokenize"].of(1, 200) == Decimal("0.01")


@pytest.mark.parametrize(
    "text, why",
    [
        ("name,points\nx,1\n", "must have the columns"),
        ("stage,points\nsoftmax2,1\n", "names 'softmax2', which is no stage"),
        ("stage,points\n11,1\n", "which is no stage"),
        ("stage,points\n3,1\nrms_norm,2\n", "names rms_norm twice"),
        ("stage,points\n3,much\n", "has 'much' for points"),
        ("stage,points\n3,-1\n", "has '-1' for points"),
        ("stage,points,give\n3,1,half\n", "has 'half' under give"),
        ("stage,points,give\n3,1,50%:x\n", "under give"),
    ],
)
def test_a_points_file_that_is_none_is_one_sentence(text, why, tmp_path):
    with pytest.raises(ClassError, match=why):
        read_points(written(tmp_path, text), STAGES)


# -- the file of results ----------------------------------------------------------------------


def test_a_line_that_was_not_finished_is_not_there(tmp_path):
    results_in(tmp_path, result("Ann"), result("Jo"))
    file = tmp_path / NAME
    file.write_bytes(file.read_bytes()[:-7])
    results = Results(file)
    assert [each.name for each in results] == ["Ann"]
    results.add(result("Pau"))
    assert [each.name for each in Results(file)] == ["Ann", "Pau"]


def test_the_last_line_of_a_hand_in_counts_and_tidy_keeps_one_each(tmp_path):
    results = results_in(tmp_path, result("Jo", right=1), result("Ann"), result("Jo", right=2))
    results.tidy({"Ann", "Jo"})
    assert len((tmp_path / NAME).read_bytes().splitlines()) == 2
    assert [(each.name, each.passed) for each in results] == [("Ann", 60), ("Jo", 14)]
    results.tidy({"Jo"})
    assert [each.name for each in results] == ["Jo"]


@pytest.mark.parametrize("line", [b"[1]\n", b"nonsense\n", b'{"hand_in": []}\n', b"\xff\n"])
def test_other_lines_are_one_sentence(line, tmp_path):
    (tmp_path / NAME).write_bytes(line)
    with pytest.raises(ClassError, match="is no result"):
        Results(tmp_path / NAME)


def test_a_line_of_another_kit_is_one_sentence(tmp_path):
    (tmp_path / NAME).write_bytes(b'{"hand_in": "Jo"}\n')
    with pytest.raises(ClassError, match="not of this kit's version"):
        list(Results(tmp_path / NAME))


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    results = results_in(tmp_path, result("Ann"))
    before = (tmp_path / NAME).read_bytes()

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results_module.os, "fsync", full)
    with pytest.raises(ClassError, match="make room, or name another folder; then go on with"):
        results.add(result("Jo"))
    assert (tmp_path / NAME).read_bytes() == before
    monkeypatch.undo()
    results.add(result("Jo"))
    assert len(Results(tmp_path / NAME)) == 2


def test_shards_are_joined(tmp_path):
    for number, names in ((1, ["Ann", "Pau"]), (2, ["Jo"])):
        shard = Results(tmp_path / f"results-{number}-of-2.jsonl")
        for name in names:
            shard.add(result(name))
    assert [each.name for each in merge(tmp_path)] == ["Ann", "Jo", "Pau"]
    assert [each.name for each in merge(tmp_path)] == ["Ann", "Jo", "Pau"]


def test_shards_that_are_not_all_there_are_named(tmp_path):
    with pytest.raises(ClassError, match="There are no results of shards"):
        merge(tmp_path)
    Results(tmp_path / "results-2-of-3.jsonl").add(result())
    with pytest.raises(ClassError, match="no results yet: 1/3, 3/3; run them first"):
        merge(tmp_path)
    Results(tmp_path / "results-1-of-2.jsonl").add(result())
    with pytest.raises(ClassError, match="has shards of 2 and of 3"):
        merge(tmp_path)
    assert not (tmp_path / NAME).exists()
