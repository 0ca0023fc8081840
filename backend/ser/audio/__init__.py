"""Audio bytes to a mono waveform; where speech is in it; changes made to it."""
