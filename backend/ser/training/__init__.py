"""From a corpus to a checkpoint: the training loop and cross-validation."""
