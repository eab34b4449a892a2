"""What can go wrong by a user's hand."""


class JourneyError(Exception):
    """The message is one sentence, with what to do next."""


def no_text() -> JourneyError:
    """What to say where a sentence is missing."""
    return JourneyError(
        'There is no text to walk: give a sentence, as in `token-journey show "açò es or"`.'
    )
