"""A journey in a terminal."""
