"""What to train with, found by trying: a learning rate, a batch size, and what a training will cost."""
