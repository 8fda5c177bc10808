"""Evidence of a linear score: the numbers that each track and each region of a video adds to it.

tracks_read  the tracks of one video along the axes of a codebook, in memory
terms        an encoding's vector before normalisation, as a sum over tracks
shares       the number that each track adds to a score
cells        size of space-time cells
without      by how much a score falls if the tracks of a space-time cell are left out
"""
