"""Tracks of agents in scenes: read, checked, resampled."""
