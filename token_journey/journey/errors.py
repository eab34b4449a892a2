"""What can go wrong by a user's hand."""


class JourneyError(Exception):
    """The message is one sentence, with what to do next."""
