"""Vision: pipelines on images."""
