"""The expression language at run time: its tree and its evaluation."""
