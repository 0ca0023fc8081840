"""What everything else stands on: labels, settings, the Prediction, errors, files."""
