"""Labels, settings, the result types, errors and file handling that every other room uses."""
