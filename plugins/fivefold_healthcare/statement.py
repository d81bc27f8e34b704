"""What every page says that this plugin makes."""

STATEMENT = "Research use, not a medical device."
