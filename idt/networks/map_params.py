"""Parameters of the maps that are pooled along tracks, and the names of their blocks.

Source: docs/method/networks.md, section 7.
"""

import os
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from idt.errors import DataError, short_repr
from idt.networks.model import Network
from idt.networks.presets import Preset, preset_of
from idt.params.bounds import SHARE_REASON, Bounds

NORMS = ("st", "channel", "none")
"""Divisors of a map: the maximum of a channel over the video, the maximum of a place over the channels, or none."""

MAPPINGS = ("ratio", "exact")
"""Ways to find the cell of a point: by the ratio of sizes, or by the centres of the cells."""

SCALES = (1, 5)
POWER = Bounds(0.0, 1.0, SHARE_REASON, above=True)


@dataclass(frozen=True)
class MapParams:
    """Parameters of the maps that are pooled.

    Attributes
    ----------
    models : tuple of (str, tuple of str)
        Path of an ONNX file and names of its tensors.
    preset : Preset
        Its order of colours, normalisation and stacks of flow are used; frames are not cropped.
    norms : tuple of str
        Some of `NORMS`; each gives a block.
    scales : {1, 5}
        Number of sizes of the frames; the descriptors of the five sizes are added.
    mapping : str
        One of `MAPPINGS`.
    power : float
        Exponent of every number of a descriptor, applied to its absolute value when the descriptor is read. 1 changes
        nothing.
    """

    models: tuple[tuple[str, tuple[str, ...]], ...]
    preset: Preset
    norms: tuple[str, ...] = ("st", "channel")
    scales: int = 1
    mapping: str = "ratio"
    power: float = 0.5

    def __post_init__(self):
        POWER.check("maps-power", self.power)
        unknown = [norm for norm in self.norms if norm not in NORMS]
        if unknown or not self.norms or len(set(self.norms)) < len(self.norms):
            raise DataError(
                f"--maps-norm must be some of {','.join(NORMS)}, each once, got {','.join(self.norms)!r:.60}"
            )
        if self.scales not in SCALES or self.mapping not in MAPPINGS:
            raise DataError(f"maps take 1 or 5 scales and a mapping {' or '.join(MAPPINGS)}")

    @classmethod
    def parse(cls, texts, preset, **options):
        """Read ``MODEL:TENSOR[,TENSOR]`` for every model.

        Parameters
        ----------
        texts : sequence of str
        preset : str or Preset
        **options
            The other attributes.

        Returns
        -------
        MapParams

        Raises
        ------
        DataError
            If a text has another form, or an option does not fit.
        """
        models = []
        for text in texts:
            model, colon, tensors = text.rpartition(":")
            if not colon or not model or not all(tensors.split(",")):
                raise DataError(f"--maps must be MODEL:TENSOR[,TENSOR], such as net.onnx:conv4,conv5, got {text!r:.80}")
            models.append((model, tuple(tensors.split(","))))
        whole = preset_of(preset, crops="whole", short_side=0)
        return cls(tuple(models), whole, **options)

    def networks(self):
        """Return the models, list of Network, from a cache as long as their files do not change."""
        found = []
        for path, tensors in self.models:
            status = os.stat(path)
            found.append(_open_network(path, tensors, self.preset, (status.st_mtime_ns, status.st_size, status.st_ino)))
        return found

    def made(self, networks):
        """Describe the blocks of these ``networks`` as a feature file records them (`NetworkBlocks.description`).

        Raises
        ------
        DataError
            If the channels of a tensor cannot be told, or two blocks would have one name.
        """
        blocks, divided = {}, []
        for network, names in zip(networks, block_names(networks, self.norms), strict=True):
            for tensor, of_tensor in zip(network.tensors, names, strict=True):
                shape = network.shapes.get(tensor, ())
                if len(shape) not in (4, 5) or shape[1] is None:
                    raise DataError(
                        f"{network.path}: {short_repr(tensor)} is no map of places, its shape is {shape or 'unknown'};"
                        " idt-net --list names the maps"
                    )
                for norm, name in zip(self.norms, of_tensor, strict=True):
                    blocks[name] = int(shape[1])
                    divided += [name] if norm == "st" else []
        return {
            "blocks": blocks,
            "divided": divided,
            "scales": self.scales,
            "power": float(self.power),
            "mapping": self.mapping,
            "models": [{"digest": one.digest, "tensors": one.tensors} for one in networks],
            "preset": asdict(self.preset),
        }


@lru_cache(maxsize=8)
def _open_network(path, tensors, preset, identity):
    """Open a network; ``identity`` is that of the file, so that a changed file is opened again."""
    return Network(path, preset=preset, tensors=tensors)


def block_names(networks, norms):
    """Name the blocks that maps give.

    Parameters
    ----------
    networks : list of Network
    norms : sequence of str

    Returns
    -------
    list of list of list of str
        For each network, each tensor and each norm, such as ``conv4_st``. If there are several networks, the name of
        the model stands before it.

    Raises
    ------
    DataError
        If two would have one name.
    """
    names = []
    for network in networks:
        stem = f"{Path(network.path).stem}_" if len(networks) > 1 else ""
        plain = [re.sub(r"[^A-Za-z0-9]+", "_", f"{stem}{tensor}").strip("_") for tensor in network.tensors]
        names.append([[f"{name}_{norm}" for norm in norms] for name in plain])
    flat = [name for of_network in names for of_tensor in of_network for name in of_tensor]
    if len(set(flat)) < len(flat):
        raise DataError(f"two tensors have one name as blocks, among {', '.join(flat)}; rename one of the models")
    return names
