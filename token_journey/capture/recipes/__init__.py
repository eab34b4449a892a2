"""The packs that the repository ships, and how each is made again."""
