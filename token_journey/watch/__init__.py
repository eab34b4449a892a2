"""The learner's desk: a save is judged at once, and a stuck learner gets a hint."""
