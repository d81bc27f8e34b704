"""Plugin: vision (temporary)."""
