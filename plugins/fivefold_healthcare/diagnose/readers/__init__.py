"""Readers of what `healthcare/diagnose` takes: tables of labels, NPZ archives, and images to predict."""
