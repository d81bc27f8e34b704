"""Options of predicting fraud."""

from __future__ import annotations

from fivefold.config.follow import FollowOptions


class FraudPrediction(FollowOptions):
    """Scores of whole files, or of transactions as they come in."""
