"""Forms of score files that other programs write, a module for each.

content      the content of a file as plain values and arrays
table        a matrix of scores as a reader finds it
variables    a matrix of scores among arrays of any names
complete     a matrix of scores converted to `classify.fusion.scores.Scores`

mmaction2    dumps of MMAction2 and mmaction
tsn          TSN, tsn-pytorch, TSM
coviar       CoViAR, DMC-Net
slowfast     PySlowFast
two_stream   two-stream-action-recognition
torch_file   tensors and pickled arrays
mat          MAT files
arrays       npy and npz
hdf5         HDF5 of others
csv_table    CSV
activitynet  results of the ActivityNet and Kinetics challenges
tsm          refused: labels without scores
"""
