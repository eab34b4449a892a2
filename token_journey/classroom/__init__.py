"""A folder of hand-ins becomes grades, feedback, and what a class knows."""
