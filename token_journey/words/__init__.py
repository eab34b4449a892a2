"""What learners read, a file a room. Who computes hands in plain values; here they are worded."""
