"""What a stranger, an attacker or an unlucky user does, and what must not happen then; one file a kind."""
