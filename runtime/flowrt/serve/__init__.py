"""Serving a store to others: flows by name, schedules, an HTTP API, an engine inside a Ray cluster."""
