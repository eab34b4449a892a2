"""The player: a process of its own that runs a hand-in and gives the judge nothing but data."""
