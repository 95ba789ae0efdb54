"""What `charlm.load` returns."""
