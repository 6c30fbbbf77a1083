"""What a tree does not hold: the comments of a flow file and its blank lines."""
