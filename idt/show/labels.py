"""Labels of segments written over drawn frames.

Segments are lines ``video,start,end,label[,score]`` in seconds, as `idt-segment` writes them.
"""

from pathlib import Path

from idt.errors import DataError
from idt.files import csv_text
from idt.imports.opencv import cv2
from idt.show.canvas import LINE_HEIGHT, drawable

FIELDS = "video,start,end,label,score"
FONT = cv2.FONT_HERSHEY_SIMPLEX


class Labels:
    """Labels of one video by time.

    Parameters
    ----------
    path : str or Path
        Segments of this and perhaps of other videos.
    name : str
        The video, as in the first column. A path in that column that ends in this name counts, too, because segments of
        a folder of videos are named by paths.
    fps : float
        Frames a second.

    Raises
    ------
    DataError
        If a line has other fields, no segment is of this video, or its rate is unknown.
    OSError
        If the file cannot be read.
    """

    def __init__(self, path, name, fps):
        if not fps > 0:
            raise DataError(f"the rate of {name} is unknown, so segments in seconds cannot be shown in it")
        stem, found, videos = Path(name).stem, [], set()
        for line, fields in csv_text.read_rows(path, FIELDS):
            if [field.lower() for field in fields[:4]] == FIELDS.split(",")[:4]:
                continue
            try:
                video, start, end, label = fields[:4]
                span = float(start), float(end)
                if len(fields) > 5 or not span[0] < span[1]:
                    raise ValueError
            except ValueError:
                raise DataError(f"{path}, line {line}: expected {FIELDS}, got {','.join(fields)!r:.80}") from None
            videos.add(video)
            if Path(video).name in (stem, Path(name).name):
                found.append((*span, label))
        if not videos:
            raise DataError(f"{path} has no segments; expected lines of {FIELDS}")
        if not found:
            raise DataError(f"{path} has no segments of {stem}, but of {', '.join(sorted(videos)):.200}")
        self._segments, self._fps = found, fps

    def at_frame(self, index):
        """Return the labels of the frame with number ``index``, a list of str."""
        # The middle of the frame, because the times of segments are rounded to a thousandth.
        second = (index + 0.5) / self._fps
        return [label for start, end, label in self._segments if start <= second < end]

    def write_on(self, drawn):
        """Write the labels of a frame into its picture.

        Parameters
        ----------
        drawn : idt.show.step_pictures.StepPicture

        Returns
        -------
        StepPicture
            The same; its image is changed.
        """
        height, width = drawn.image.shape[:2]
        scale = max(0.4, height / 480)
        # Below the caption, which has the number of the frame.
        base = LINE_HEIGHT
        for label in map(drawable, self.at_frame(drawn.index)):
            (wide, _), _ = cv2.getTextSize(label, FONT, scale, 1)
            size = scale * min(1.0, (width - 24 * scale) / max(wide, 1))
            base += round(32 * size)
            place = (round(12 * scale), base - round(6 * size))
            # A dark edge, so that the label can be read over bright frames, too.
            for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
                cv2.putText(drawn.image, label, place, FONT, size, colour, max(1, round(thick * size)), cv2.LINE_AA)
        return drawn
