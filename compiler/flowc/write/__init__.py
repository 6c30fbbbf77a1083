"""Programs and expressions as text."""
