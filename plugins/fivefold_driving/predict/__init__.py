"""Behaviour prediction: where agents will be."""
