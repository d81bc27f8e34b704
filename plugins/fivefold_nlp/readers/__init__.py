"""Readers of texts: with labels, without, and as running text."""
