"""The authors' forms of tracks and descriptors.

rows  a track as a row of numbers, text or binary, as the release writes it
text  tables of numbers as text, read and formatted
"""
