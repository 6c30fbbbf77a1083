"""The inputs of a run: JSON-shaped values become values of the declared types."""
