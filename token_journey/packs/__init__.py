"""What a model computed, on disk: packs, read, written and held against what was published."""
