"""Programs run directly in one process: the reference for what they mean."""
