"""The pages of a class, in a real browser."""

import pytest
from browser import DESK, NARROW, PHONE, Visit, axe, chromium
from made_up import COURSE, STAGES, made_up_class, result, rows_of

from token_journey.classroom.exports import export
from token_journey.course.lessons import mistakes, paragraph

pytestmark = pytest.mark.slow
COUNT = 30


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    rows = made_up_class(folder, COUNT)
    for name in ("overview", "feedback"):
        export(name, rows, COURSE, folder)
    return folder


@pytest.fixture
def visit(browser, out):
    with Visit(browser, out / "overview.html") as opened:
        yield opened


def names(visit):
    return visit.page.locator("#map tbody tr:visible th").all_inner_texts()


def column(visit, name):
    return visit.page.locator("#map thead button", has_text=name)


def test_opens_from_disk_alone_and_without_complaint(visit, out):
    visit.unfold()
    assert visit.requests == [(out / "overview.html").as_uri()]
    assert visit.complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE, NARROW], ids=["desk", "phone", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barriers(browser, out, size, scheme):
    for file in (out / "overview.html", next((out / "feedback").iterdir())):
        with Visit(browser, file, size, color_scheme=scheme) as visit:
            visit.page.locator("details").evaluate_all(
                "all => all.forEach(each => each.open = true)"
            )
            visit.page.evaluate(axe())
            found = visit.page.evaluate("axe.run(document)")["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            width = visit.page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"]


def test_a_column_sorts_by_the_keyboard_alone(visit):
    column(visit, "of 10").focus()
    visit.page.keyboard.press("Enter")
    values = visit.page.locator("#map tbody tr td:nth-last-child(3)").all_inner_texts()
    assert values == sorted(values, key=float) and len(values) == COUNT + 1
    header = visit.page.locator("#map thead th", has_text="of 10")
    assert header.get_attribute("aria-sort") == "ascending"
    visit.page.keyboard.press("Enter")
    values = visit.page.locator("#map tbody tr td:nth-last-child(3)").all_inner_texts()
    assert values == sorted(values, key=float, reverse=True)
    assert header.get_attribute("aria-sort") == "descending"


def test_a_name_is_found_without_its_accents(visit):
    visit.page.locator("#find").fill("SOLER")
    assert names(visit) and all("Maria Solér" in name for name in names(visit))
    shown = visit.page.locator("#shown").inner_text()
    assert shown == f"{len(names(visit))} of {COUNT + 1} shown"


def test_who_has_all_right_are_found(visit):
    visit.page.locator("#only").select_option("right")
    right = len(names(visit))
    assert 0 < right < COUNT
    fact = visit.page.locator(".facts div", has_text="all stages right").locator("dd")
    assert fact.inner_text() == f"{right}"


def test_a_row_leads_to_its_feedback(visit):
    name = names(visit)[0]
    visit.page.locator("#map tbody a").first.click()
    assert visit.page.locator("h1").inner_text() == name
    assert visit.complaints == []


def test_a_script_in_a_name_stays_text(browser, tmp_path):
    name = "<script>alert(1)</script></script><!--<b>"
    norm = next(iter(mistakes(COURSE, STAGES[2])))
    made = result(name, right=2, mistake=norm, stopped=[name], remarks=[name], open=[name])
    rows = rows_of(tmp_path, made, result("Ann"))
    for each in ("overview", "feedback"):
        export(each, rows, COURSE, tmp_path)
    with Visit(browser, tmp_path / "overview.html") as visit:
        visit.unfold()
        assert visit.complaints == [] and name in names(visit)


def test_it_reads_without_javascript(browser, out):
    with Visit(browser, out / "overview.html", java_script_enabled=False) as visit:
        assert len(names(visit)) == COUNT + 1
        assert visit.page.locator(".plot:visible").count() == 0
        assert visit.page.locator("figure table").count() == 2


def test_each_mistake_says_how_many_who_and_what_to_go_over(browser, tmp_path):
    norm, other = list(mistakes(COURSE, STAGES[2]).values())[:2]
    rows = rows_of(
        tmp_path,
        result("Ann", right=2, mistake=norm.name),
        result("Jo", right=2, mistake=norm.name),
        result("Pau", right=2, mistake=other.name),
    )
    export("overview", rows, COURSE, tmp_path)
    with Visit(browser, tmp_path / "overview.html") as visit:
        first = visit.page.locator(".mistake").first
        assert first.locator("h3").inner_text() == f"2 × {norm.name}"
        assert "Ann" in first.text_content() and "Jo" in first.text_content()
        assert "Pau" not in first.text_content() and norm.read in first.text_content()
        assert paragraph(COURSE, STAGES[2], norm) in first.text_content()


def test_hand_ins_that_are_the_same_are_named_together(browser, tmp_path):
    same = {"s03_rms_norm": "1"}
    made = [result("Ann", fingerprints=same), result("Jo", fingerprints=same)]
    made.append(result("Pau", fingerprints={"s03_rms_norm": "2"}))
    export("overview", rows_of(tmp_path, *made), COURSE, tmp_path)
    with Visit(browser, tmp_path / "overview.html") as visit:
        assert visit.page.locator("section").last.locator(".who").all_inner_texts() == ["Ann, Jo"]
