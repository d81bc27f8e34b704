"""Data: where they come from, how they are split, and what stands on both sides of a split."""
