"""Prices and other series: one schema, several sources."""
