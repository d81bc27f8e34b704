"""Readers of tables of transactions."""
