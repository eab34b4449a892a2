"""A journey as one page."""
