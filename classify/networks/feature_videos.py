"""Snippet features of videos by a network: a feature file for each video, which every encoder takes.

Source: docs/method/networks.md, section 6.
"""

from dataclasses import dataclass

from classify.networks.run_videos import Recipe
from idt.features import feature_file
from idt.features.feature_file import Storage, VideoInfo, Writer
from idt.networks.snippets import made_of, params_of, snippets


@dataclass(frozen=True)
class FeatureRecipe(Recipe):
    """What makes a feature file of a video.

    Attributes
    ----------
    every : int or None
        As for `idt.networks.snippets.snippets`.
    """

    every: int | None = None

    def params(self, network):
        """Return what a feature file records and an up-to-date check compares: dict."""
        made = made_of(network, self.every)
        return feature_file.stored_params(params_of(made), Storage(network=made))

    def is_current(self, path, params, source, *, overwrite):
        """Tell whether the feature file is up to date."""
        return feature_file.is_current(path, params=params, source=source, overwrite=overwrite)

    def write(self, given, measured, *, opening, source, overwrite):
        """Compute the snippets of a video, and write its file."""
        storage = Storage(network=given.params["network"])
        video = VideoInfo(measured.width, measured.height, measured.fps, measured.first_frame)
        params = feature_file.extraction_params(given.params)
        with Writer(
            given.output, params=params, source=source, video=video, storage=storage, overwrite=overwrite
        ) as writer:
            for chunk in snippets(given.network, given.video, every=self.every, opening=opening, measured=measured):
                writer.append(chunk)
            writer.finish(frames=measured.frames, fill=False)
