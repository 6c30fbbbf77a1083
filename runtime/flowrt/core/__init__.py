"""The core: decides what may run. No I/O, no clock, no randomness."""
