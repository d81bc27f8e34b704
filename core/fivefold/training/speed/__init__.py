"""What a training runs with: arithmetic, layout, threads, compiled blocks, memory against time."""
