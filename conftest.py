"""Grades what pytest is pointed at; see token_journey/pytest_plugin.py."""

pytest_plugins = ["token_journey.pytest_plugin"]
