"""Scores of videos: a score file for each video, and one for all.

Source: docs/method/networks.md, section 5.
"""

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np

from classify.fusion import score_file
from classify.fusion.scores import Scores
from classify.fusion.write import write_scores
from classify.networks.run_videos import Recipe
from idt.errors import DataError
from idt.files import provenance
from idt.networks.scoring import scores

KINDS = {"logits": "logits", "probabilities": "probabilities", "given": "probabilities"}
"""Kind of the scores by kind of the average."""


@dataclass(frozen=True)
class ScoreRecipe(Recipe):
    """Recipe of a score file.

    Attributes
    ----------
    classes : tuple of str
        Names of the columns.
    listed : str
        File of the classes, for messages.
    """

    classes: tuple[str, ...] = ()
    listed: str = "--classes"

    def network(self):
        """Return the model, as `Recipe.network`; if it has several outputs, one must be named."""
        network = super().network()
        if not self.tensors and len(network.tensors) > 1:
            outputs = ", ".join(network.tensors)
            raise DataError(f"{self.model} has outputs {outputs}; name the output of the scores with --tensor")
        return network

    def params(self, network):
        """Return the parameters that a score file records and the up-to-date check compares: dict."""
        return {
            "network": network.digest,
            "tensor": network.tensors[0],
            "preset": dataclasses.asdict(self.preset),
            "classes": hashlib.sha256("\n".join(self.classes).encode()).hexdigest(),
        }

    def is_current(self, path, params, source, *, overwrite):
        """Tell whether the score file is up to date."""
        wanted = {"format": score_file.SCORES_FORMAT, "version": score_file.SCORES_VERSION, "params": params}
        return provenance.is_current(path, **wanted, source=source, overwrite=overwrite)

    def write(self, task, measured, *, opening, source, overwrite):
        """Score a video, and write its file."""
        found = scores(task.network, task.video, opening=opening, measured=measured)
        if len(found) != len(self.classes):
            raise DataError(
                f"{self.model} has {len(found)} classes, but {self.listed} names {len(self.classes)}; name the file"
                " that the network was trained with"
            )
        made = Scores(found[None], [task.name], list(self.classes), kind=KINDS[self.preset.average])
        score_file.save(task.output, made, params=task.params, source=source, overwrite=overwrite)


def join(path, jobs, recipe, *, overwrite=False):
    """Write the scores of all videos into one file.

    Parameters
    ----------
    path : str or Path
    jobs : list of idt.batch.jobs.Job
        Jobs whose score files exist.
    recipe : ScoreRecipe
    overwrite : bool or collection of path
        As for `classify.fusion.write.write_scores`.

    Returns
    -------
    classify.fusion.scores.Scores

    Raises
    ------
    DataError
        If a file is damaged, or ``path`` may not be replaced.
    OSError
        If a file cannot be read or written.
    """
    classes = list(recipe.classes)
    rows = []
    for job in jobs:
        found = score_file.load(job.output)
        if found.classes != classes or found.names != [job.name]:
            raise DataError(f"{job.output} holds other classes or videos than this run; {provenance.REMEDY}")
        rows.append(found.values[0])
    made = Scores(np.array(rows), [job.name for job in jobs], classes, kind=KINDS[recipe.preset.average])
    write_scores(path, made, overwrite=overwrite)
    return made
