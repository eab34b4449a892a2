"""The walk itself: what happens to the tokens of one sentence, number by number."""
