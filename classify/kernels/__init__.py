"""The compiled loops of dynamic programming."""
