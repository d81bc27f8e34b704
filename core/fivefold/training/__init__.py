"""How a task is learned: the trainer and its parts."""
