"""flowc: a declarative workflow compiler for Ray."""
