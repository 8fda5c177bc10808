"""Choose the decoder of a video file: OpenCV or PyAV."""

from idt.errors import DataError
from idt.files.source_file import open_source
from idt.frames.opencv_decoder import OpencvReader
from idt.params.bounds import MOST_PIXELS
from idt.params.decoder import INSTALL_PYAV, chosen_decoder


def open_file(path, *, max_pixels=MOST_PIXELS, decoder="auto", deinterlace=False, vectors=False):
    """Open a video file with the decoder of the run.

    Parameters
    ----------
    path : str
    max_pixels : int
        Most pixels of a frame.
    decoder : {"auto", "opencv", "pyav"}
        As `idt.params.decoder.chosen_decoder`.
    deinterlace : bool
        Interpolate every other line of all frames.
    vectors : bool
        Ask the codec for its motion vectors; OpenCV has none.

    Returns
    -------
    OpencvReader or PyavReader

    Raises
    ------
    DataError
        If the file is no video that the decoder can read, or OpenCV is asked to deinterlace, which it cannot.
    OSError
        If the file cannot be read.
    """
    decoder = chosen_decoder(decoder)
    if deinterlace and decoder == "opencv":
        raise DataError(
            f"deinterlace needs PyAV, for OpenCV cannot do it; {INSTALL_PYAV}, or take the frames as they are"
        )
    try:
        path.encode()
    except UnicodeEncodeError:
        # FFmpeg does not see the name, but our JSON and the programs that read it do.
        raise DataError(f"{path} has a name that is not UTF-8; rename it") from None
    file = open_source(path)
    try:
        if not file.size:
            raise DataError(f"{path} is empty (0 bytes)")
        if decoder == "opencv":
            return OpencvReader(file, path, max_pixels)
        # PyAV is optional.
        from idt.frames.pyav_decoder import PyavReader

        return PyavReader(file, path, max_pixels, deinterlace, vectors)
    except BaseException:
        file.close()
        raise
