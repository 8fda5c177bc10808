"""How modules are imported.

lazy          public names that are loaded on first use
opencv        OpenCV, without its loader's changes to the environment
environment   search paths without the current folder
"""
