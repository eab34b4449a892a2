"""What a stranger wrote reaches nobody's terminal but cut and spelled out."""

import time

import pytest

from token_journey.foreign import message_of, shown
from token_journey.guards.time_limit import OutOfTime, time_limit


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain text, línia é 漢字 👩‍🔬", "plain text, línia é 漢字 👩‍🔬"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[2J", "<1B>[2J"),
        ("over\rwritten", "over<0D>written"),
        ("\u202eright to left", "<202E>right to left"),
        ("\ud800", "<D800>"),
    ],
)
def test_what_steers_is_spelled_out_and_all_else_stays(text, seen):
    assert shown(text) == seen
    seen.encode()


def test_a_long_text_is_cut():
    assert shown("x" * 10**8) == "x" * 500 + "…"
    assert shown("x" * 500) == "x" * 500


class Text(str):
    def __getitem__(self, _):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError


def answering(answer):
    return type("", (Exception,), {"__str__": lambda self: answer()})()


def ends():
    raise SystemExit


def interrupts():
    raise KeyboardInterrupt


def recurses():
    return recurses()


def never_ends():
    while True:
        try:
            time.sleep(0)
        except:  # noqa: E722
            continue


@pytest.mark.parametrize("answer", [ends, interrupts, recurses, never_ends, lambda: 5])
def test_an_error_that_can_t_speak_does_no_harm(answer):
    assert message_of(answering(answer)) is None


def test_an_error_that_can_speak_is_heard():
    assert message_of(ValueError("no")) == "no"
    assert message_of(answering(lambda: Text("mine"))) == "mine"
    assert message_of(answering(lambda: "x" * 10**8)) == "x" * 500 + "…"


def test_a_limit_around_it_goes_on():
    with pytest.raises(OutOfTime), time_limit(0.05):
        message_of(answering(never_ends))
        while True:
            pass
