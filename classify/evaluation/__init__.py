"""Evaluation of a data set by its own protocol.

evaluate           all folds of one recipe
prepare_features   the features of all clips
fold_plan          the files of every fold, and their provenance
fold               codebook, vectors and scores of one fold
resume             reports and files of an earlier run
cost_ledger        wall time and memory of each stage
compare            evaluation of several recipes, which share files
recipes            recipes from a file
network_scores     score files of networks by the splits of a data set
evaluate_networks  reports of networks, and their fusion with the run
page_pictures      pictures of test videos for the page: evidence for wrong predictions
untrimmed          the same for data sets of untrimmed video
"""
