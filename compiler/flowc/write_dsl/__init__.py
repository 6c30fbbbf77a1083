"""A tree and the comments of its file come in, text of the DSL in canonical form goes out."""
