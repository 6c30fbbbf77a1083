"""A tree and the comments of its file come in, YAML in canonical form goes out."""
