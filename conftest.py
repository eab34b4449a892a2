"""Grades what pytest is pointed at; see token_journey/grading.py."""

pytest_plugins = ["token_journey.grading"]
