"""The tables of the language come in; the JSON Schema of flow files goes out."""
