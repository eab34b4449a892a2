"""Grading: `pytest PATH` judges the implementation that lies at PATH."""
