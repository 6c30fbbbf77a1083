"""Ray bind graphs: the operations they are made of, and how they become programs."""
