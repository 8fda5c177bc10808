"""Late fusion: score files of ours and of networks, matched by name and added with weights."""
