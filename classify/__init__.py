"""Classification: from the vectors of videos to labels, and from labels to a report.

LinearSVM, Chi2SVM               classifiers that speak scikit-learn
read_dataset                     a data set from its folder: clips, labels and the splits of its protocol
evaluate, compare                a data set to its report, or to a table of several recipes
read_scores, write_scores        scores of videos from a file of any form, and into one
fuse, FusionProtocol             fusion of score files, ours and of networks; the test videos and their labels
explain, evidence_picture        shares of the tracks and regions of a video in a class's score
load_model, save_model           a trained classifier from a file and into one
ClassifierParams, DatasetParams  the options of a classifier and of reading a data set, with their defaults

Inside, `evaluation.evaluate` is the place to start: it joins the steps from a data set to its report.

datasets                         the data sets and their protocols, one reader per file
svm                              support vector machines: the two classifiers and how they are trained
models                           training of a model, its file, prediction and explanation with it
fusion                           late fusion: score files read, aligned by name, added, written
reports                          results as Markdown, JSON and pictures
evaluation                       evaluation on a data set, and comparison of recipes
untrimmed                        segmentation of untrimmed video
networks                         scores and features of networks
kernels                          compiled loops
cli, *_cli                       the commands; options, fusion_options, params: their options
metrics, labels, text_files      measures of agreement, labels, CSV and text files
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

if TYPE_CHECKING:
    from classify.datasets.registry import read_dataset as read_dataset
    from classify.evaluation.compare import compare as compare
    from classify.evaluation.evaluate import evaluate as evaluate
    from classify.fusion.alignment.protocol import FusionProtocol as FusionProtocol
    from classify.fusion.fuse import fuse as fuse
    from classify.fusion.read import read_scores as read_scores
    from classify.fusion.write import write_scores as write_scores
    from classify.models.evidence_pictures import evidence_picture as evidence_picture
    from classify.models.explain import explain as explain
    from classify.models.model_file import load_model as load_model
    from classify.models.model_file import save_model as save_model
    from classify.params import ClassifierParams as ClassifierParams
    from classify.params import DatasetParams as DatasetParams
    from classify.svm.chi2 import Chi2SVM as Chi2SVM
    from classify.svm.linear import LinearSVM as LinearSVM
else:
    # A type checker that saw __getattr__ would accept every name.
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "classify.svm.linear": "LinearSVM",
            "classify.svm.chi2": "Chi2SVM",
            "classify.datasets.registry": "read_dataset",
            "classify.evaluation.evaluate": "evaluate",
            "classify.evaluation.compare": "compare",
            "classify.fusion.read": "read_scores",
            "classify.fusion.write": "write_scores",
            "classify.fusion.fuse": "fuse",
            "classify.fusion.alignment.protocol": "FusionProtocol",
            "classify.models.explain": "explain",
            "classify.models.evidence_pictures": "evidence_picture",
            "classify.models.model_file": "load_model save_model",
            "classify.params": "ClassifierParams DatasetParams",
        },
    )
