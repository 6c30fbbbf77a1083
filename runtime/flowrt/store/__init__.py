"""Stores: where journals, programs, events and blobs are kept."""
