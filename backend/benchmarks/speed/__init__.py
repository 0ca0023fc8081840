"""How long things take, and whether a server stays small."""
