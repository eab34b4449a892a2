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
    """The course, or a learner's folder of it, can't be used; the message is one sentence."""


class IsolationError(UserError):
    """Players that can't be had here; the message is one sentence with what to do."""


class StubError(UserError):
    """A stub that can't be made; the message is one sentence with what to do."""


class JourneyError(UserError):
    """The message is one sentence, with what to do next."""


class CostError(UserError):
    """The message is one sentence, with what to do next."""


class ClassError(UserError):
    """A class that can't be graded so; the message is one sentence, with what to do next."""


class Differs(UserError):
    """A pack that is not what was published; the message is one sentence."""


class TooLarge(UserError):
    """A size that does not fit; the message says how much it needs."""


def no_text() -> JourneyError:
    """What to say where a sentence is missing."""
    return JourneyError(
        'There is no text to walk: give a sentence, as in `token-journey show "açò es or"`.'
    )


# What grading does not need: which of pyproject.toml's extras a module comes with.
_EXTRAS = {
    **dict.fromkeys(("jinja2", "rich", "vl_convert", "watchfiles"), "show"),
    **dict.fromkeys(
        ("accelerate", "filelock", "gguf", "tokenizers", "tqdm", "transformers"), "models"
    ),
    **dict.fromkeys(("matplotlib", "psutil", "pytest_benchmark"), "cost"),
    **dict.fromkeys(("distributed", "xdist"), "class"),
}


def install(extra: str) -> str:
    """What to type to have an extra, in a clone or elsewhere: pip finds the kit that is there."""
    return f'`pip install "token-journey[{extra}]"`'


def not_installed(module: str | None) -> UserError | None:
    """What to say of a module that Python does not find, if an extra brings it."""
    top = (module or "").partition(".")[0]
    if top not in _EXTRAS:
        return None
    return UserError(f"This needs {top}, which is not installed: {install(_EXTRAS[top])}.")
