"""How good the models are, on unseen speakers and on corpora they never saw."""
