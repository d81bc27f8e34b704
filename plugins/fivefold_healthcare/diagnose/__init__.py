"""Disease diagnosis from medical images."""
