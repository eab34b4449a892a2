"""The `token-journey` command: a file a subcommand, named as it."""
