"""Batches on the device: kept there, or read ahead by threads or processes."""
