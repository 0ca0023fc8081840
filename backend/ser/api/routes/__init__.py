"""The routes, one file per subject, registered by ``app``."""
