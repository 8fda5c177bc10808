"""Import OpenCV without the changes that its loader makes to the environment.

The loader puts a folder of its own before ``LD_LIBRARY_PATH``. Where that was not set, an empty entry is left, which
stands for the current folder: every program that is started from then on would load its libraries from there.
"""

import cv2 as cv2

from idt.imports.environment import clean_environment

clean_environment()
