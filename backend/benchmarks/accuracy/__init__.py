"""Measures the accuracy of the models on unseen speakers and unseen corpora."""
