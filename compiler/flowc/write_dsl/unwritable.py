"""What the writer of the DSL raises when a part of a tree has no form there."""


class Unwritable(Exception):
    """The DSL cannot say this; the text is a whole sentence."""
