"""Names and paths: which assignment a name reads, and whether every path makes it."""
