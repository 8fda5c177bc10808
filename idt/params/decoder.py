"""The decoders of video files, and the choice between them.

PyAV is optional, the extra ``av``, because its wheels bundle FFmpeg with x264 and x265, which are under the GNU GPL. If
PyAV is installed, it is the default, because it reports damage, the order of fields, time stamps and cover pictures,
which OpenCV hides.
"""

import importlib.util

from idt.errors import DataError, short_repr

DECODERS = ("auto", "opencv", "pyav")
"""These are the names of the decoders of video files; auto is PyAV if it is installed, else OpenCV."""

INSTALL_PYAV = 'pip install "av>=17.0.1"'
"""Command that installs PyAV."""


def is_installed():
    """Tell whether PyAV can be imported."""
    return importlib.util.find_spec("av") is not None


def chosen_decoder(decoder):
    """Return the decoder that a run uses.

    Parameters
    ----------
    decoder : {"auto", "opencv", "pyav"}

    Returns
    -------
    {"opencv", "pyav"}

    Raises
    ------
    DataError
        If it is not one of `DECODERS`, or if it is PyAV, which is not installed.
    """
    check_decoder(decoder)
    if decoder == "pyav" and not is_installed():
        raise DataError(f"decoder=pyav needs PyAV, which is not installed; {INSTALL_PYAV}, or take decoder=opencv")
    if decoder == "auto":
        return "pyav" if is_installed() else "opencv"
    return decoder


def check_decoder(decoder):
    """Refuse ``decoder`` unless it is one of `DECODERS`."""
    if not isinstance(decoder, str) or decoder not in DECODERS:
        raise DataError(f"decoder must be one of {', '.join(DECODERS)}, got {short_repr(decoder)}")
