"""Digest of the numbers of a feature file, recorded by its writer, so that files can be compared without reading them.

It is the SHA-256 of the stored numbers before compression, of the parameters, and of the video's size, rate and length.
It depends neither on the block size nor on the compression library. The checksums of the datasets verify the numbers
when they are read. `digest_of_file` computes the digest again.
"""

import hashlib
import json

import numpy as np

ATTRIBUTE = "content"
"""Root attribute of a feature file that holds the digest."""


class ContentDigest:
    """Digest of the numbers of a feature file, fed block by block."""

    def __init__(self):
        self._hashes = {}

    def add(self, fields):
        """Add rows.

        Parameters
        ----------
        fields : dict of str to ndarray
            The next rows of each field (`idt.features.column_storage.ColumnStorage`), as they are stored. If the times
            of ``"position"`` are still NaN, they may be added later as ``"time"``. A missing ``"skip"`` counts as
            frame step 1.
        """
        fields = dict(fields)
        if "position" in fields:
            position = fields["position"]
            fields["position"] = position[:, :2]
            if np.isfinite(position[:, 2]).all():
                fields["time"] = position[:, 2]
            fields.setdefault("skip", np.ones(len(position), np.uint8))
        for name, values in fields.items():
            values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
            self._hashes.setdefault(name, hashlib.sha256()).update(values)

    def digest(self, params, **video):
        """Return the digest, 64 hexadecimal digits.

        Parameters
        ----------
        params : dict or None
            As the file records them.
        **video
            ``width``, ``height``, ``fps`` and ``frames``.

        Returns
        -------
        str
        """
        found = {name: hashed.hexdigest() for name, hashed in self._hashes.items()}
        video = {name: value if value is None else float(value) for name, value in video.items()}
        return hashlib.sha256(json.dumps([params, video, found], sort_keys=True).encode()).hexdigest()


def camera_fields(camera):
    """Return the fields of the ``camera``, a `Camera`, for `ContentDigest.add`."""
    return {f"camera/{name}": getattr(camera, name) for name in ("homography", "matches", "inliers")}


def digest_of_file(reader, block):
    """Compute the digest of an open feature file.

    Parameters
    ----------
    reader : idt.features.reader.Reader
    block : int
        Rows at once.

    Returns
    -------
    str

    Raises
    ------
    DataError
        If the stored bytes are damaged.
    """
    content, camera, metadata = ContentDigest(), reader.camera(), reader.metadata
    for first in range(0, reader.count or 1, block):
        content.add({name: stored[first : first + block] for name, stored in reader.datasets.items()})
    content.add({f"maxima/{name}": values for name, values in reader.maxima.items()})
    if camera is not None:
        content.add(camera_fields(camera))
    video = {name: metadata[name] for name in ("width", "height", "fps", "frames")}
    return content.digest(reader.recorded, **video)
