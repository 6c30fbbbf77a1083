"""flowrt: executes Ray bind graphs durably."""
