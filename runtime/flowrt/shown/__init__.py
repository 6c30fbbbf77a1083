"""Runs and values for readers outside of Python: as JSON, on the command line and over HTTP."""
