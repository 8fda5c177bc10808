"""From vectors to labels."""
