"""Readers of series: one for each kind of file, and the choice among them."""
