"""Score files of iDT and of networks on HMDB51 and UCF101 give, through the command, the accuracies that they must.

The files are those of gulvarol/ltc (iDT), facebookresearch/dmc-net (CoViAR) and zhujiagang/DTPP (MIFS). The numbers
were computed from them by other code, by name; that of MIFS is in its paper, too (89.1).
"""

import json

import pytest

from tests.golden import scores, splits

pytestmark = pytest.mark.slow

POINTS = 0.01 + 1e-9
"""Percentage points that a golden accuracy, written with two decimals, may differ by."""

SETS = {"hmdb51": ("hmdb51/testTrainMulti_7030_splits", "hmdb"), "ucf101": ("ucf101", "ucf")}
STREAMS = {"iframe": 2, "mv": 1, "residual": 1}


def words(dataset, *networks, mifs=False):
    """Sources and lists of a command line."""
    lists, short = SETS[dataset]
    home = scores("")
    streams = {name: f"{home}/coviar/{dataset}_{name}_split{{split}}.npz" for name in STREAMS}
    cnn = "+".join(f"{path}*{STREAMS[name]}" for name, path in streams.items())
    given = {"cnn": cnn, "iframe": streams["iframe"], "mifs": f"{home}/mifs/ucf101_split{{split}}.mat"}
    named = [f"{name}={given[name]}" for name in (*networks, *(("mifs",) if mifs else ()))]
    ordered = ["--list", f"mifs={splits('ucf101')}/testlist0{{split}}.txt"] if mifs else []
    idt = f"idt={home}/ltc_idt/{short}_idt_split{{split}}.mat"
    return [idt, *named, *ordered, "--dataset", dataset, "--lists", splits(lists)]


def fused(command, folder, *given):
    """The report of a fusion, its accuracies in percent: of the fusion, and of each source alone."""
    command("idt-fuse", *given, "-o", folder, "--quiet")
    report = json.loads((folder / "report.json").read_text())
    return 100 * report["accuracy"], {name: 100 * of["accuracy"] for name, of in report["sources"].items()}, report


@pytest.mark.parametrize(
    ("dataset", "idt", "cnn", "together"), [("hmdb51", 57.23, 59.43, 66.36), ("ucf101", 84.49, 90.64, 93.30)]
)
def test_coviar_with_idt_at_a_quarter(command, tmp_path, dataset, idt, cnn, together):
    accuracy, alone, report = fused(command, tmp_path / "out", *words(dataset, "cnn"))
    assert alone["idt"] == pytest.approx(idt, abs=POINTS)
    assert alone["cnn"] == pytest.approx(cnn, abs=POINTS)
    assert accuracy == pytest.approx(together, abs=POINTS)
    assert report["weights"] == {"idt": 0.25, "cnn": 0.75}
    assert report["norms"] == {"idt": "l2", "cnn": "l2"}
    assert report["interval"]["splits"] == 3
    assert report["part"] == []


@pytest.mark.parametrize(("dataset", "alone", "together"), [("hmdb51", 51.72, 66.03), ("ucf101", 87.02, 93.74)])
def test_the_i_frame_network_with_idt_at_a_quarter(command, tmp_path, dataset, alone, together):
    accuracy, found, _ = fused(command, tmp_path / "out", *words(dataset, "iframe"))
    assert found["iframe"] == pytest.approx(alone, abs=POINTS)
    assert accuracy == pytest.approx(together, abs=POINTS)


@pytest.mark.parametrize(("dataset", "together"), [("hmdb51", 67.12), ("ucf101", 93.35)])
def test_coviar_with_z_scores(command, tmp_path, dataset, together):
    accuracy, _, _ = fused(command, tmp_path / "out", *words(dataset, "cnn"), "--norm", "z")
    assert accuracy == pytest.approx(together, abs=POINTS)


def test_mifs_whose_rows_a_list_names(command, tmp_path):
    _, alone, report = fused(command, tmp_path / "out", *words("ucf101", mifs=True))
    assert alone["mifs"] == pytest.approx(89.25, abs=POINTS)
    assert [100 * split["sources"]["mifs"] for split in report["per_split"]] == pytest.approx(
        [88.13, 90.31, 89.31], abs=POINTS
    )
    assert "the matrix is transposed: its columns are the videos" in report["sources"]["mifs"]["notes"]


def test_two_classical_systems_share_their_quarter_beside_a_network(command, tmp_path):
    accuracy, _, report = fused(command, tmp_path / "out", *words("ucf101", "cnn", mifs=True))
    # No paper has this number: it is what the three files give.
    assert accuracy == pytest.approx(93.48, abs=POINTS)
    assert report["weights"] == {"idt": 0.125, "mifs": 0.125, "cnn": 0.75}


def test_mifs_without_a_list_is_refused(command, tmp_path):
    given = words("ucf101", mifs=True)
    at = given.index("--list")
    _, _, err = command("idt-fuse", *given[:at], *given[at + 2 :], "-o", tmp_path / "out", status=2)
    assert "without names or labels" in err
    assert not (tmp_path / "out").exists()
