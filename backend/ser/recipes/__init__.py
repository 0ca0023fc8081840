"""One published system per file, found by scanning; see ``ser.recipe`` for the contract."""
