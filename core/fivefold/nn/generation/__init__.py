"""Networks and random numbers of models that make images."""
