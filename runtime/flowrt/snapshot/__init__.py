"""The code of a run, packed: folders go in, an archive by its content comes out, and folders elsewhere."""
