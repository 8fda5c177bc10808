"""What others reached on the sets, to print beside a result.

Numbers are percent in the set's own metric. A number that is ``recalled`` was written down from memory: it is printed
with ``~`` and to be checked in its source before it is quoted elsewhere.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """A published result.

    Attributes
    ----------
    method : str
    percent : float
    recalled : bool
        Not looked up in the source.
    source : str
    note : str
        What else there is to say, such as the numbers of each split.
    """

    method: str
    percent: float
    recalled: bool
    source: str
    note: str = ""

    def __str__(self):
        return f"{'~' if self.recalled else ''}{self.percent:.1f}"


HMDB51_SPLITS = "splits: 56.7 / 57.2 / 57.8"
ACTIONVLAD = "Girdhar et al., CVPR 2017, arXiv version; per-split scores differ a little"
RELEASE = "features of the authors' release, these clips, the standard recipe with K = 64 and no pyramid"
RELEASE_BLOCKS = "89 of 90; trajectory 94.4, HOG 88.9, HOF 97.8, MBHx 97.8, MBHy 96.7"

# Method, source, then set by set the number as printed: "~" marks a recalled one.
_TABLE: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "DT + BoVW",
        "Wang et al., IJCV 2013",
        {"hmdb51": "48.3", "ucf50": "85.6", "hollywood2": "59.9", "olympic": "~77.2", "kth": "~95.0", "ucf11": "~85.4"},
    ),
    (
        "iDT + FV, no human boxes",
        "Wang & Schmid, ICCV 2013",
        {"hmdb51": "~55.9", "ucf50": "~90.5", "hollywood2": "~63.0", "olympic": "~90.2"},
    ),
    (
        "iDT + FV, human boxes",
        "Wang & Schmid, ICCV 2013",
        {"hmdb51": "57.2", "ucf50": "~91.2", "hollywood2": "~64.3", "olympic": "~91.1"},
    ),
    ("iDT + FV, human boxes", "Wang & Schmid, THUMOS 2013", {"ucf101": "85.9"}),
    (
        "iDT + hybrid super vector",
        "Peng et al., CVIU 2016",
        {"ucf101": "87.9", "hmdb51": "61.1", "ucf50": "~92.3"},
    ),
    ("iDT + stacked FV", "Peng et al., ECCV 2014", {"hmdb51": "~66.8"}),
    (
        "MIFS",
        "Lan et al., CVPR 2015",
        {"ucf101": "~89.1", "hmdb51": "~65.1", "ucf50": "~94.4", "hollywood2": "~68.0", "olympic": "~91.4"},
    ),
    (
        "MPEG flow + FV",
        "Kantorov & Laptev, CVPR 2014",
        {"hmdb51": "46.7", "ucf50": "82.2", "hollywood2": "58.2"},
    ),
    ("two-stream", "Simonyan & Zisserman, NIPS 2014", {"ucf101": "88.0", "hmdb51": "59.4"}),
    ("C3D", "Tran et al., ICCV 2015", {"ucf101": "85.2"}),
    ("C3D + iDT", "Tran et al., ICCV 2015", {"ucf101": "90.4"}),
    ("LSTM on two-stream", "Ng et al., CVPR 2015", {"ucf101": "88.6"}),
    ("two-stream fusion", "Feichtenhofer et al., CVPR 2016", {"ucf101": "92.5", "hmdb51": "65.4"}),
    ("two-stream fusion + iDT", "Feichtenhofer et al., CVPR 2016", {"ucf101": "93.5", "hmdb51": "69.2"}),
    ("key volume mining", "Zhu et al., CVPR 2016", {"ucf101": "93.1", "hmdb51": "63.3"}),
    ("TDD + iDT", "Wang et al., CVPR 2015", {"ucf101": "91.5", "hmdb51": "65.9"}),
    ("TSN", "Wang et al., ECCV 2016", {"ucf101": "94.2", "hmdb51": "69.4"}),
    ("TLE", "Diba et al., CVPR 2017", {"ucf101": "95.6", "hmdb51": "71.1"}),
    ("P3D", "Qiu et al., ICCV 2017", {"ucf101": "88.6"}),
    ("P3D + iDT", "Qiu et al., ICCV 2017", {"ucf101": "93.7"}),
    ("ActionVLAD", ACTIONVLAD, {"ucf101": "92.7", "hmdb51": "66.9"}),
    ("ActionVLAD + iDT", ACTIONVLAD, {"ucf101": "93.6", "hmdb51": "69.8"}),
    ("two-stream I3D", "Carreira & Zisserman, CVPR 2017", {"ucf101": "98.0", "hmdb51": "80.7"}),
    ("iDT + FV", "Chéron et al., ICCV 2015", {"jhmdb": "~65.9"}),
    ("iDT + FV", RELEASE, {"weizmann": "98.9"}),
)

_NOTES = {("iDT + FV, human boxes", "hmdb51"): HMDB51_SPLITS, ("iDT + FV", "weizmann"): RELEASE_BLOCKS}


def published(dataset):
    """Results published on a set.

    Parameters
    ----------
    dataset : str
        Name of the set, as in `classify.datasets.registry`.

    Returns
    -------
    list of Published
        In the order of the table; empty if there are none at hand.
    """
    return [
        Published(
            method,
            float(numbers[dataset].removeprefix("~")),
            numbers[dataset].startswith("~"),
            source,
            _NOTES.get((method, dataset), ""),
        )
        for method, source, numbers in _TABLE
        if dataset in numbers
    ]
