"""The kata inside a notebook."""

from token_journey.notebook.walk import walk

__all__ = ["walk"]
