"""Import OpenCV without the changes that its loader makes to the environment.

The loader prepends a folder of its own to ``LD_LIBRARY_PATH``. If the variable was not set, this leaves an empty entry,
which stands for the current folder: every program started later would load its libraries from there.
"""

import cv2 as cv2

from idt.imports.environment import clean_environment

clean_environment()
