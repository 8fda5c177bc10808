"""How modules are imported.

lazy          public names that are loaded when they are asked for
opencv        OpenCV, without what its loader does to the environment
environment   nothing is loaded from the current folder
"""
