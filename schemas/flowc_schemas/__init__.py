"""The JSON Schemas that flowc publishes, as package data."""
