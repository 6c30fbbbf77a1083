"""Executors: what makes attempts, behind one port."""
