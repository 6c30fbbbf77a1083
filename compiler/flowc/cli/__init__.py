"""The `flowc` command: one file a command."""
