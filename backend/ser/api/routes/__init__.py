"""The routes, one file a subject; ``app`` registers them."""
