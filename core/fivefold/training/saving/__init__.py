"""Checkpoints: whole or absent, written beside the training, exact to go on from."""
