"""The vocabulary in which a backend is described."""
