"""The kata inside a notebook: `%load_ext token_journey`, and walks that a cell shows."""
