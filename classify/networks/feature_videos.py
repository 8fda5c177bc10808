"""Features of snippets of videos: a feature file for each video.

Source: docs/method/networks.md, section 6.
"""

import dataclasses
from dataclasses import dataclass

from classify.networks.run_videos import Recipe
from idt.features import feature_file
from idt.features.feature_file import Storage, VideoInfo, Writer
from idt.networks.fused import fused_snippets, made_of_two
from idt.networks.snippet_params import made_of, params_of
from idt.networks.snippets import snippets


@dataclass(frozen=True)
class FeatureRecipe(Recipe):
    """Recipe of a feature file.

    Attributes
    ----------
    every : int or None
        As for `idt.networks.snippets.snippets`.
    fuse : str
        One of `idt.networks.presets.FUSIONS`, or empty.
    beside : Recipe or None
        Recipe of the second network, whose maps are fused with the maps of the first.
    """

    every: int | None = None
    fuse: str = ""
    beside: Recipe | None = None

    def with_absolute_paths(self):
        """Return the recipe with absolute paths, for another machine."""
        return dataclasses.replace(
            super().with_absolute_paths(), beside=self.beside and self.beside.with_absolute_paths()
        )

    def describe_blocks(self, network):
        """Return the description of the blocks: dict."""
        if self.beside is None:
            return made_of(network, self.every)
        return made_of_two(network, self.beside.network(), self.fuse, self.every)

    def params(self, network):
        """Return the parameters that a feature file records and the up-to-date check compares: dict."""
        description = self.describe_blocks(network)
        return feature_file.stored_params(params_of(description), Storage(network=description))

    def is_current(self, path, params, source, *, overwrite):
        """Tell whether the feature file is up to date."""
        return feature_file.is_current(path, params=params, source=source, overwrite=overwrite)

    def write(self, task, measured, *, opening, source, overwrite):
        """Compute the snippets of a video, and write its file."""
        storage = Storage(network=task.params["network"])
        video = VideoInfo(measured.width, measured.height, measured.fps, measured.first_frame)
        params = feature_file.extraction_params(task.params)
        options = {"every": self.every, "opening": opening, "measured": measured}
        if self.beside is None:
            chunks = snippets(task.network, task.video, **options)
        else:
            chunks = fused_snippets(task.network, self.beside.network(), self.fuse, task.video, **options)
        with Writer(
            task.output, params=params, source=source, video=video, storage=storage, overwrite=overwrite
        ) as writer:
            for chunk in chunks:
                writer.append(chunk)
            writer.finish(frames=measured.frames, fill=False)
