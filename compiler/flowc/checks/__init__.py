"""Checks of the IR: one file a family of rules."""
