"""Finance: forecasts of series and fraud among transactions."""
