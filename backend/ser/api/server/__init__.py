"""The production server: waitress with bounded requests, graceful stop and several processes."""
