"""The production server: waitress, what it takes in and how it stops."""
