"""The text of a `.flow` file comes in; the tree that YAML would give for the same flow goes out."""
