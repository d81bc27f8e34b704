"""Transactions: one schema for card payments, transfers and the like, and what reads and checks them."""
