"""Lowering: checked IR comes in, programs go out."""
