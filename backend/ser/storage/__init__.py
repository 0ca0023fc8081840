"""The database of stored results: sessions and speaker profiles of one owner."""
