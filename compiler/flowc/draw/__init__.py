"""A program comes in; a picture of it goes out, as Mermaid, as DOT or as SVG."""
