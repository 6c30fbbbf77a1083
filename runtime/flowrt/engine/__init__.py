"""The engine: carries out what the core wants, and writes down what came of it."""
