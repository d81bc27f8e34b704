"""Readers: one kind of source a file; each says whether a path is of its kind, and reads it into a table."""
