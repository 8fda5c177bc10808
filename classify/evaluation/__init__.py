"""A data set to a report, with its own protocol.

evaluate          all folds of one recipe
prepare_features  the features of all clips
fold_plan         the files of every fold, and their provenance
fold              codebook, vectors and scores of one fold
resume            what an earlier run left
cost_ledger       wall time and memory of each stage
compare           many recipes that share what they can
recipes           recipes from a file
network_scores    score files of networks by the splits of a data set
beside_networks   reports of networks, and their fusion with the run
page_pictures     pictures of test videos for the page: evidence for wrong predictions
"""
