"""Driving: pipelines on agents in scenes."""
