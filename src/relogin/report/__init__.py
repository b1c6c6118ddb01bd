"""A run, told."""
