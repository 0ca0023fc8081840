"""Decoding to a mono waveform, voice activity detection and augmentation."""
