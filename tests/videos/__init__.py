"""Every kind of video that people have, and how each decoder reads it; one file a kind."""
