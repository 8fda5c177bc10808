"""Forms of score files that others write, a file each.

table   a matrix of scores as a reader finds it
coviar  CoViAR and DMC-Net
mat     MAT files
"""
