"""Pictures of test videos for the page of an evaluation: evidence where the prediction is wrong, else a still frame.

A wrong video has two pictures, one with evidence for the true class and one with evidence for the predicted class
(docs/method/encoding.md, section 17). It has a still frame instead where no track has a share of the score: with a χ²
kernel, stacked vectors, sparse codes, max pooling or outside vectors. The same holds if the codebook or the
vectors of its split were deleted.
"""

import copy
import dataclasses
import os
from pathlib import Path

from classify.evaluation import fold
from classify.models.evidence_pictures import evidence_stills
from classify.reports.page.videos import Picture, key_of, still_picture, videos_to_picture, within_budget
from idt.workers import processes


def draw_pictures(videos, plans, files, run):
    """Draw the pictures of test videos for the page of an evaluation.

    Parameters
    ----------
    videos : sequence of classify.reports.page.videos.Tested
    plans : sequence of FoldPlan
        One for each split; their scores exist.
    files : dict of str to FileSource
        Video name → feature file.
    run : RunOptions
        Processes, how videos are read, and the progress.

    Returns
    -------
    dict of (str, str) to list of Picture
        Name and split of a video → its pictures; of no more bytes than `classify.reports.page.videos.MOST_BYTES`.
        Videos that cannot be read are left out.
    """
    chosen = videos_to_picture(videos)
    alone = dataclasses.replace(run.for_one(), threads=1)
    tasks = []
    for plan in plans:
        mine = [video for video in chosen if video.split == plan.split.name]
        model = fold.train_explainable_model(plan, run) if any(not video.right for video in mine) else None
        for video in mine:
            evidence = None
            if model is not None and not video.right:
                names = model.classifier.classes_.tolist()
                classes = [name for name in (video.label, video.predicted) if name in names]
                read = (os.path.abspath(path) for path in (files[video.name].path, plan.codebook.path))
                evidence = *read, _narrowed(model, classes), classes
            # A worker process that is reused may have another current folder by now.
            tasks.append((video._replace(path=Path(os.path.abspath(video.path))), evidence, alone))
    found = {}
    with run.progress("picture", len(tasks)) as update:
        for index, pictures in processes.run(draw_one, tasks, jobs=run.jobs, keep=True):
            if isinstance(pictures, list) and pictures:
                found[key_of(tasks[index][0])] = pictures
            update()
    return within_budget(found, chosen)


def draw_one(video, evidence, run):
    """Draw the pictures of one video. It runs in a worker process, because a damaged video may crash the decoder.

    Parameters
    ----------
    video : Tested
    evidence : tuple or None
        Feature file, codebook, model and classes.
    run : RunOptions

    Returns
    -------
    list of Picture
        Empty if the video cannot be read.
    """
    if evidence is not None:
        features, codebook, model, classes = evidence
        drawn = evidence_stills(video.path, features, model, codebook, classes, run=run)
        if drawn:
            roles = {video.label: "true class", video.predicted: "predicted class"}
            return [
                Picture(f"evidence for {name} ({roles[name]}), frame {frame}", data, shows_evidence=True)
                for name, (frame, data) in zip(classes, drawn, strict=True)
            ]
    return still_picture(video, max_pixels=run.max_pixels, decoder=run.decoder)


def _narrowed(model, classes):
    """Return the model with the weights of some classes only, because it is sent to another process."""
    machine = copy.copy(model.classifier)
    names = machine.classes_.tolist()
    if len(names) > len(classes) > 1:  # for two classes there is one row of weights
        rows = [names.index(name) for name in classes]
        machine.classes_, machine.coef_ = machine.classes_[rows], machine.coef_[rows]
        machine.intercept_ = machine.intercept_[rows]
    return dataclasses.replace(model, classifier=machine)
