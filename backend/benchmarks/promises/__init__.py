"""The promises to users, each measured and printed as a line of the scorecard."""
