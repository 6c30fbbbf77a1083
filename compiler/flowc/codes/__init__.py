"""The rules of the language, each with its code: what `flowc explain` prints."""
