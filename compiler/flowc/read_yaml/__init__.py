"""Reading YAML: text becomes a tree that knows where every character stood."""
