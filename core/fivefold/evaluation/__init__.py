"""Evaluation: metrics with intervals, baselines, the verdict and the report."""
