"""What is told of a training: records, progress, TensorBoard, profiles."""
