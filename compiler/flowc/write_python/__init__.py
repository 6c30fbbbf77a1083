"""A checked flow comes in; a Python program that does the same on Ray, without durability, goes out."""
