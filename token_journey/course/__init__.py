"""What a learner meets, on disk: stages, stubs, lessons and the mistakes that people make."""
