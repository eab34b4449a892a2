"""The page of a walk, in a real browser, against what transformers computes itself."""

import base64
import math
import os
import re
import subprocess
import sys
import zlib
from dataclasses import replace

import pytest
import torch
from browser import DESK, NARROW, PHONE, Visit, axe, chromium
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from token_journey.course.course import find_course
from token_journey.drawing.page import part
from token_journey.journey.opening import opened, published
from token_journey.journey.page.packing import packed
from token_journey.journey.page.page import framed, page
from token_journey.numbers import number, percent

COURSE = find_course()
SENTENCE = "The capital of France is"
HOSTILE = "<script>alert(1)</script> & </script><!--<b>"
SIGNS = {ord("\n"): "⏎", ord("\r"): "␍", ord("\t"): "⇥"}
MOST_BYTES = 2_000_000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened_browser:
        yield opened_browser


@pytest.fixture(scope="module")
def walks(whole_smollm2):
    with opened("smollm2", COURSE) as found:
        yield found


@pytest.fixture(scope="module")
def journey(walks):
    return walks.walk(SENTENCE)


@pytest.fixture(scope="module")
def hostile(walks):
    found = walks.walk(HOSTILE)
    assert len(found.tokens) >= 16
    return found


@pytest.fixture(scope="module")
def file(journey, tmp_path_factory):
    return written(journey, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def visited(browser, file):
    """The page, opened once, for tests that set all that they look at."""
    with Visit(browser, file) as visit:
        yield visit


@pytest.fixture(scope="module")
def computed(whole_smollm2):
    """What transformers computes of the sentence, without anything of ours."""
    model = AutoModelForCausalLM.from_pretrained(
        whole_smollm2, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    ids = torch.tensor([AutoTokenizer.from_pretrained(whole_smollm2)(SENTENCE).input_ids])
    with torch.no_grad():
        return model(ids, output_attentions=True, output_hidden_states=True)


def written(journey, folder):
    path = folder / "walk.html"
    path.write_text(page(journey), encoding="utf-8")
    return path


def shown(number):
    """What a page shows of a number: four decimals, or three digits of a tiny one."""
    return pytest.approx(number, abs=max(6e-5, abs(number) * 6e-3 if abs(number) < 1e-3 else 0))


# -- the file ---------------------------------------------------------------------------------


def test_a_page_writes_numbers_as_python_does(visited):
    sizes = [m * 10.0**e for e in range(-12, 9) for m in (1, 1.234567, 2.5001, 9.9996)]
    values = [0.0, *sizes, *(-value for value in sizes)]
    shares = [0.0005, *sizes]
    script = part("token_journey.drawing", "base.js")
    for written, given in ((number, values), (percent, shares)):
        call = f"(values) => {{ {script}; return values.map({written.__name__}); }}"
        assert visited.page.evaluate(call, given) == [written(value) for value in given]
    assert percent(0.0005) == "0.05 %"


def test_opens_from_disk_alone_and_without_complaint(browser, file):
    with Visit(browser, file) as visit:
        visit.unfold()
        assert visit.requests == [file.as_uri()]
        assert visit.complaints == []


def test_small_enough(hostile, walks):
    assert len(page(hostile).encode()) <= MOST_BYTES
    long = walks.walk(f"{SENTENCE} " * 90)
    assert len(long.tokens) == 20 and len(page(long).encode()) <= MOST_BYTES


def test_a_script_in_the_sentence_stays_text(browser, hostile, tmp_path):
    with Visit(browser, written(hostile, tmp_path)) as visit:
        visit.unfold()
        assert visit.complaints == []
        heading = visit.page.locator("h1").text_content()
        assert heading == HOSTILE
        assert visit.page.evaluate("document.scripts.length") == 5


def test_published_walk_says_what_was_not_published(browser, tmp_path):
    journey = published(COURSE).walk()
    with Visit(browser, written(journey, tmp_path)) as visit:
        visit.unfold()
        assert visit.complaints == []
        assert visit.page.locator("#lens .missing").first.text_content() == "not published"
        assert visit.page.locator("#generate .plot").count() == 0
        assert "of 2,048" in visit.page.locator("#embed .part").text_content()


def test_reads_without_javascript(browser, file, journey):
    with Visit(browser, file, java_script_enabled=False) as visit:
        assert visit.page.locator("h3:visible").count() == len(journey.steps)
        assert visit.page.locator(".plot:visible").count() == 0
        assert "Paris" in visit.page.locator("#probs").text_content()


# -- from step to step ------------------------------------------------------------------------


def test_arrow_keys_walk_through_all_steps(browser, file, journey):
    with Visit(browser, file) as visit:
        focused = "document.activeElement.closest('.step')?.id"
        current = "[...document.querySelectorAll('[aria-current]')].map((a) => a.hash).join()"
        keys = [step.key for step in journey.steps]
        for way, order in (("ArrowRight", keys), ("ArrowLeft", keys[-2::-1])):
            for key in order:
                visit.page.keyboard.press(way)
                assert visit.page.evaluate(focused) == key
                assert visit.page.evaluate(current) == f"#{key}"


def test_map_follows_scrolling(browser, file):
    with Visit(browser, file) as visit:
        for key in ("rope", "mlp", "cost"):
            visit.page.evaluate(f"document.getElementById('{key}').scrollIntoView()")
            visit.page.wait_for_selector(f".map a[href='#{key}'][aria-current]")


def test_arrow_keys_belong_to_what_is_focused(browser, file):
    with Visit(browser, file) as visit:
        for inside in ("#generate [data-control='top-k']", "#scores select", "#scores .plot"):
            visit.page.focus(inside)
            before = visit.page.evaluate("location.hash")
            visit.page.keyboard.press("ArrowRight")
            assert visit.page.evaluate("location.hash") == before


def test_phone_has_a_map_in_view(browser, file):
    with Visit(browser, file, PHONE) as visit:
        visit.page.evaluate("location.hash = '#mlp'")
        button = visit.page.locator(".map .unfold")
        visit.page.wait_for_function("document.querySelector('.unfold').innerText.includes('/')")
        assert button.bounding_box()["y"] >= 0
        button.click()
        visit.page.click(".map a[href='#rope']")
        visit.page.wait_for_function("document.activeElement.id === 'title-rope'")
        assert not visit.page.locator("#map-list").is_visible()


# -- the numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "head", "query", "key"), [(0, 0, 4, 3), (0, 5, 2, 0), (17, 8, 3, 1), (29, 2, 4, 4)]
)
def test_attention_says_the_model_s_own_numbers(visited, computed, layer, head, query, key):
    figure = visited.page.locator("[data-chart='attention']")
    figure.locator("[data-control='layer']").select_option(str(layer))
    figure.locator("[data-control='head']").select_option(str(head))
    plot = figure.locator(".plot")
    plot.blur()  # where the cursor was before is forgotten
    plot.focus()
    for way, times in (("ArrowDown", query), ("ArrowRight", key)):
        for _ in range(times):
            plot.press(way)
    said = figure.locator("output.reading").text_content()
    pieces = SENTENCE.split()
    assert said.startswith(f"query “{pieces[query]}” → key “{pieces[key]}”: ")
    assert float(said.split()[-1]) == shown(computed.attentions[layer][0, head, query, key].item())
    figure.locator("details").evaluate("(details) => { details.open = true; }")
    cell = figure.locator("tbody tr").nth(query).locator("td").nth(key).text_content()
    assert cell == said.split()[-1]


def test_hovering_says_the_same(browser, file, computed):
    with Visit(browser, file) as visit:
        figure = visit.page.locator("[data-chart='attention']")
        figure.scroll_into_view_if_needed()
        figure.locator(".plot svg path[aria-label], .plot svg .mark-rect path").nth(5).hover()
        said = figure.locator("output.reading").text_content()
        assert said.startswith("query “capital” → key “The”: ")
        assert float(said.split()[-1]) == shown(computed.attentions[0][0, 0, 1, 0].item())


def test_escape_leaves_a_chart(browser, file):
    with Visit(browser, file) as visit:
        plot = visit.page.locator("[data-chart='attention'] .plot")
        plot.focus()
        plot.press("ArrowRight")
        plot.press("Escape")
        assert visit.page.evaluate("document.activeElement.tagName") == "BODY"
        assert visit.page.locator("[data-chart='attention'] .reading").text_content() == ""


@pytest.mark.parametrize(
    ("step", "name", "state"),
    [
        ("embed", "embed", 0),
        ("resid_post", "blocks.0.resid_post", 1),
        ("final_norm", "ln_final.out", -1),
    ],
)
def test_first_and_last_numbers(visited, computed, step, name, state):
    expected = computed.hidden_states[state][0]
    rows = visited.page.locator(f"#{step} .tensor", has_text=name).last.locator("tbody tr")
    for row, token in ((0, 0), (1, 1), (-1, -1)):
        written_out = rows.nth(row).locator("td").text_content()
        numbers = [float(n) for n in re.findall(r"-?[\d.]+(?:e[-+]\d+)?", written_out)]
        vector = expected[token].tolist()
        assert numbers == [shown(vector[i]) for i in (0, 1, -1)]


def test_rotation_turns_by_position_times_frequency(visited, journey):
    figure = visited.page.locator("[data-chart='rotation']")
    figure.locator("[data-control='what']").select_option("k")
    figure.locator("[data-control='head']").select_option("2")
    figure.locator("[data-control='pair']").select_option("3")
    plot = figure.locator(".plot")
    plot.focus()
    for _ in range(4):
        plot.press("ArrowRight")
    said = figure.locator("output.reading").text_content()
    found = [float(n) for n in re.findall(r"-?\d+\.\d+", said)]
    angle, before, after = found[0], complex(*found[2:4]), complex(*found[4:6])
    k, turned = journey.seen("attn.k"), journey.seen("attn.rot_k")
    assert before == pytest.approx(complex(k[2, 4, 3], k[2, 4, 35]), abs=1e-4)
    assert after == pytest.approx(complex(turned[2, 4, 3], turned[2, 4, 35]), abs=1e-4)
    assert after == pytest.approx(
        before * complex(math.cos(angle), math.sin(angle)), abs=2e-3 * abs(before)
    )


def test_a_layer_that_was_chosen_comes_back(browser, file):
    """Scores are kept of one layer only; to look at them does not forget the choice."""
    with Visit(browser, file) as visit:
        figure = visit.page.locator("[data-chart='attention']")
        layer = figure.locator("[data-control='layer']")
        layer.select_option("20")
        figure.locator("[data-control='what']").select_option("raw")
        assert layer.input_value() == "0"
        assert "kept for layer 0 only" in figure.locator("[data-stored]").text_content()
        assert figure.locator("figcaption").text_content().startswith("How well the query")
        assert layer.locator("option:not([disabled])").count() == 1
        figure.locator("[data-control='what']").select_option("pattern")
        assert layer.input_value() == "20"
        assert not figure.locator("[data-stored]").is_visible()


def test_colours_are_explained(browser, file, journey):
    with Visit(browser, file) as visit:
        for step, low in (("embed", "−"), ("resid_mid", "−"), ("scores", "0")):
            visit.page.locator(f"#{step} .plot").first.scroll_into_view_if_needed()
            legend = visit.page.locator(f"#{step} p.colours")
            legend.locator(".gradient").wait_for()
            assert legend.text_content().startswith(low)
        visit.page.locator("[data-control='what']").nth(1).select_option("raw")
        most = f"{journey.seen('attn.scores_raw').abs().max():.4f}"
        visit.page.locator("#scores p.colours", has_text=f"−{most}").wait_for()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_lens_opens_at_the_answer(browser, file, journey, size):
    with Visit(browser, file, size) as visit:
        box = visit.page.locator(".lens")
        box.scroll_into_view_if_needed()
        frame, cell = box.bounding_box(), box.locator("tbody tr:last-child td:last-child")
        assert journey.best[0].piece.strip() in cell.text_content()
        place = cell.bounding_box()
        assert (
            frame["x"] <= place["x"]
            and place["x"] + place["width"] <= frame["x"] + frame["width"] + 1
        )
        assert (
            frame["y"] <= place["y"]
            and place["y"] + place["height"] <= frame["y"] + frame["height"] + 1
        )
        corner = box.locator("thead th").first.bounding_box()
        assert (
            visit.page.evaluate(
                "([x, y]) => document.elementFromPoint(x, y).textContent",
                [corner["x"] + 12, corner["y"] + corner["height"] / 2],
            )
            == "after"
        )


def test_what_is_cut_off_fades(browser, file):
    with Visit(browser, file, PHONE) as visit:
        visit.page.wait_for_selector("#lens .more-left")
        box = visit.page.locator("#scores .more-right").first.element_handle()
        assert "gradient" in box.evaluate("(box) => getComputedStyle(box).maskImage")
        box.evaluate("(box) => box.scrollTo(box.scrollWidth, 0)")
        visit.page.wait_for_function("(box) => !box.classList.contains('more-right')", arg=box)


def test_stories_fit_a_phone(browser, tmp_path):
    with Visit(browser, written(published(COURSE).walk(), tmp_path), NARROW) as visit:
        for box in visit.page.locator(".story .scroll").all():
            assert box.evaluate("(box) => box.scrollWidth <= box.clientWidth")


# -- sampling ---------------------------------------------------------------------------------


def warped(logits, temperature, top_k, top_p):
    """The distribution that transformers draws from; float32 alone would sum to 1.00002."""
    scores = logits[None].clone()
    if temperature != 1:
        scores = TemperatureLogitsWarper(float(temperature))(None, scores)
    if top_k:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1:
        scores = TopPLogitsWarper(top_p)(None, scores)
    return scores[0].double().softmax(-1)


def set_slider(visit, name, value):
    visit.page.fill(f"#generate [data-control='{name}']", str(value))


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [(1, 0, 1), (0.5, 0, 1), (2, 40, 1), (1, 0, 0.9), (1.5, 20, 0.75), (0.7, 0, 0.3)],
)
def test_sampling_as_transformers_does_it(visited, journey, temperature, top_k, top_p):
    expected = warped(journey.logits, temperature, top_k, top_p)
    visited.page.locator("#generate details").evaluate("(details) => { details.open = true; }")
    set_slider(visited, "temperature", temperature)
    set_slider(visited, "top-k", top_k)
    set_slider(visited, "top-p", top_p)
    said = visited.page.locator("#generate [data-state]").text_content()
    kept = int(said.split()[0].replace(",", ""))
    assert kept == int((expected > 0).sum())
    best = expected.topk(min(kept, 50))
    rows = visited.page.locator("#generate [data-chart] tbody tr").all_text_contents()
    assert len(rows) == len(best.values)
    cells = visited.page.locator("#generate [data-chart] tbody td").all_text_contents()
    assert [int(i) for i in cells[::2]][:10] == best.indices.tolist()[:10]
    probabilities = torch.tensor([float(p) for p in cells[1::2]], dtype=torch.float64)
    assert torch.allclose(probabilities, best.values, rtol=1e-4, atol=6e-7)


def test_temperature_zero_takes_the_best(browser, file, computed):
    with Visit(browser, file) as visit:
        set_slider(visit, "temperature", 0)
        assert visit.page.locator("#generate [data-state]").text_content().startswith("1 token ")
        visit.page.click("#generate button[type='submit']")
        chosen = visit.page.locator("#generate .drawn .token").get_attribute("data-id")
        assert int(chosen) == computed.logits[0, -1].argmax()
        assert "Paris" in visit.page.locator("#generate .drawn").text_content()


def test_draws_follow_the_seed(browser, file):
    def draws(visit, seed):
        visit.page.fill("#generate [data-control='seed']", str(seed))
        found = []
        for _ in range(12):
            visit.page.click("#generate button[type='submit']")
            found.append(visit.page.locator("#generate .drawn .token").get_attribute("data-id"))
        return found

    with Visit(browser, file) as visit:
        set_slider(visit, "temperature", 2)
        first, second, again = draws(visit, 1), draws(visit, 2), draws(visit, 1)
        assert first == again
        assert first != second
        set_slider(visit, "top-k", 3)
        assert len(set(draws(visit, 3))) <= 3


def test_every_token_has_its_text(browser, file, walks):
    vocabulary = walks.walk(SENTENCE).vocabulary
    with Visit(browser, file) as visit:
        set_slider(visit, "temperature", 3)
        for _ in range(12):
            visit.page.click("#generate button[type='submit']")
            chip = visit.page.locator("#generate .drawn .token")
            text = vocabulary[int(chip.get_attribute("data-id"))]
            assert chip.text_content().strip() == text.translate(SIGNS).strip()


def test_draws_of_other_settings_are_forgotten(browser, file):
    with Visit(browser, file) as visit:
        visit.page.click("#generate button[type='submit']")
        assert "Draw 1 with seed 1" in visit.page.locator("#generate .draws").text_content()
        set_slider(visit, "temperature", 2)
        assert visit.page.locator("#generate .drawn").text_content() == ""
        assert not visit.page.locator("#generate .draws").is_visible()


# -- for everybody ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "scheme", "folded"),
    [(DESK, "light", True), (DESK, "light", False), (DESK, "dark", False), (PHONE, "dark", False)],
    ids=["light", "light, unfolded", "dark", "phone, dark"],
)
def test_no_barriers(browser, file, size, scheme, folded):
    script = axe()
    with Visit(browser, file, size, color_scheme=scheme) as visit:
        if not folded:
            visit.page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = 1)")
        visit.page.evaluate(script)
        found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [
            (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
            for each in found["violations"]
        ] == []


@pytest.mark.parametrize("size", [NARROW, PHONE], ids=["360", "390"])
def test_no_page_wider_than_a_phone(browser, file, size):
    with Visit(browser, file, size) as visit:
        visit.unfold()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_paper_has_all_charts_in_light_colours(browser, file):
    with Visit(browser, file, color_scheme="dark") as visit:
        total = visit.page.locator(".plot").count()
        assert visit.page.locator(".plot svg").count() < total
        assert len(visit.page.pdf()) > 100_000
        visit.page.emulate_media(media="print", color_scheme="dark")
        visit.page.wait_for_function(
            f"document.querySelectorAll('.plot svg').length === {total}"
        )  # fmt: skip
        assert not visit.page.locator(".map").is_visible()
        assert visit.page.locator("details:not([open])").count() == 0
        ink = visit.page.evaluate("getComputedStyle(document.body).color")
        assert max(int(n) for n in re.findall(r"\d+", ink)) < 80
        visit.page.emulate_media(media="screen")
        visit.page.wait_for_function("!document.querySelector('details[open]')")


def test_dark_charts_are_redrawn(browser, file):
    with Visit(browser, file) as visit:
        visit.page.locator("[data-chart='parameters']").scroll_into_view_if_needed()
        bar = visit.page.locator("[data-chart='parameters'] .mark-rect path").first
        light = bar.get_attribute("fill")
        visit.page.emulate_media(color_scheme="dark")
        visit.page.wait_for_function(
            "(light) => document.querySelector("
            "\"[data-chart='parameters'] .mark-rect path\").getAttribute('fill') !== light",
            arg=light,
        )


# -- numbers on their way to the page ---------------------------------------------------------


def test_packed_numbers_are_little_endian_float32():
    assert packed(torch.tensor([1.0, -2.0], dtype=torch.float64)) == "AACAPwAAAMA="


def test_nothing_known_still_makes_a_page(browser, journey, tmp_path):
    steps = tuple(
        replace(step, seen=tuple(replace(seen, known=None) for seen in step.seen))
        for step in journey.steps
    )
    bare = replace(
        journey, steps=steps, patterns={}, growth=None, lens=(), logits=None, best=(),
        continuations=(), branches={}, costs=(), pieces={},
    )  # fmt: skip
    with Visit(browser, written(bare, tmp_path)) as visit:
        visit.unfold()
        assert visit.complaints == []
        assert visit.page.locator("#cost .missing").count() == 1


def test_a_mistake_that_looks_ahead_is_seen(browser, journey, tmp_path):
    pattern = torch.full_like(journey.patterns[0], 0.2)
    with Visit(browser, written(replace(journey, patterns={0: pattern}), tmp_path)) as visit:
        figure = visit.page.locator("[data-chart='attention']")
        figure.locator("summary").click()
        first = figure.locator("tbody tr").first.locator("td")
        first.nth(4).wait_for()
        assert first.all_text_contents() == ["0.2000"] * 5


def test_in_a_frame_as_a_notebook_shows_it(browser, journey, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html>{framed(journey)}", encoding="utf-8")
    with Visit(browser, path) as visit:
        frame = visit.page.frame_locator("iframe")
        frame.locator(".map a[href='#rope']").click()
        frame.locator("[data-chart='rotation'] .plot svg").wait_for()
        frame.locator(".map a[href='#rope'][aria-current]").wait_for()
        visit.page.keyboard.press("ArrowRight")
        frame.locator(".map a[href='#scores'][aria-current]").wait_for()
        assert visit.complaints == []
        assert visit.page.url == path.as_uri()


# -- the drawing library ----------------------------------------------------------------------


def in_a_fresh_process(cache, code):
    return subprocess.run(
        [sys.executable, "-c", f"from token_journey.drawing import vega; {code}"],
        env={**os.environ, "TOKEN_JOURNEY_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_bundle_is_kept(tmp_path):
    in_a_fresh_process(tmp_path, "vega.start(); vega.bundle()")
    (kept,) = tmp_path.iterdir()
    kept.write_text("mine")
    assert in_a_fresh_process(tmp_path, "print(vega.bundle())") == "mine\n"


def test_a_cache_that_can_not_be_written_hurts_nobody(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    packed = in_a_fresh_process(nowhere, "print(vega.bundle())")
    assert b"vegaEmbed" in zlib.decompress(base64.b64decode(packed))
