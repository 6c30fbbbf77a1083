"""Expressions at compile time: parsing, types."""
