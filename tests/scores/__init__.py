"""Score files: the containers of strangers, the forms of networks, the writers, and the files of ours."""
