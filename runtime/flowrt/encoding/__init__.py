"""Values, programs and records as bytes, and back."""
