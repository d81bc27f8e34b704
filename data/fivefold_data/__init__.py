"""Manifests of datasets and weights."""
