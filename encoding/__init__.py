"""From the descriptors of a video to one vector."""
