"""What a user can cause: each error is one sentence that says what to do next."""


class UserError(Exception):
    """The message is one clear sentence, for a terminal."""


class PackError(UserError):
    """A pack that can't be used; the message is one sentence with what to do."""


class CheckpointError(UserError):
    """A checkpoint that can't be captured; the message is one sentence with what to do."""


class FetchError(UserError):
    """The model could not be fetched; the message is one sentence with what to do."""


class CourseError(UserError):
    """The checkout is not complete; the message is one sentence with what to do."""


class StubError(UserError):
    """A stub that can't be made; the message is one sentence with what to do."""


class JourneyError(UserError):
    """The message is one sentence, with what to do next."""


class CostError(UserError):
    """The message is one sentence, with what to do next."""


class Differs(UserError):
    """A pack that is not what was published; the message is one sentence."""


class TooLarge(UserError):
    """A size that does not fit; the message says how much it needs."""


def no_text() -> JourneyError:
    """What to say where a sentence is missing."""
    return JourneyError(
        'There is no text to walk: give a sentence, as in `token-journey show "açò es or"`.'
    )
