"""Fraud among transactions."""
