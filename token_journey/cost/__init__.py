"""What each step costs: counted by formula, measured by pytest-benchmark, drawn in pictures."""
