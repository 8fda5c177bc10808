"""Videos to feature files: one video, or many; if one fails, the others go on.

jobs          the videos that the words of a command line name
outcome       result of one video: counts, notes or the reason of its failure
extract_one   one video, unless its file is up to date
pool_maps     maps of networks pooled along the tracks of one video
extract_rows  one video to rows as text or binary, as the release writes them
run_jobs      many videos at once, in processes that may die or on a cluster
extract_many  many videos to feature files
run_report    progress bar, a line for each video, and exit status of a command for many videos
summary       counts, failures.csv, summary.json
verify        verification of the feature files of a folder
export_flow   one video to flow files, unless they are up to date
flow_command  the command idt-flow
precompile    kernels compiled before the first frame, several at once
"""
