"""Videos to feature files: one, or many whose failures cost no more than themselves.

jobs          what the words of a command line stand for
outcome       what became of a video
extract_one   one video, unless its file is up to date
extract_rows  one video to rows as text or binary, as the release writes them
extract_many  many, in processes that may die or on a cluster
summary       counts, failures.csv, summary.json
verify        what the files of a folder are worth
export_flow   one video to flow files, unless they are up to date
flow_command  the command idt-flow
precompile    kernels compiled before the first frame, several at once
"""
