"""What a learner's code must not do to the process it runs in."""
