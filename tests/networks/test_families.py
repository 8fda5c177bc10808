"""Small graphs of the shapes of C3D, I3D, R(2+1)D and SlowFast, from videos to a fusion."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.clips import write_video
from classify.fusion.score_file import load
from tests import scenes
from tests.networks.graphs import Graph, random_conv

pytestmark = pytest.mark.slow

CLASSES = 3


def c3d(path):
    """Convolutions of 3×3×3 and max pools, the first of which leaves the time as it is."""
    graph = Graph()
    x = graph.conv("x", "conv1", random_conv(4, 3, 3, 3, 3), pads=[1] * 6)
    x = graph.add("MaxPool", [x], "pool1", kernel_shape=[1, 2, 2], strides=[1, 2, 2])
    x = graph.conv(x, "conv2", random_conv(6, 4, 3, 3, 3), pads=[1] * 6)
    x = graph.add("MaxPool", [x], "pool2", kernel_shape=[2, 2, 2], strides=[2, 2, 2], pads=[0, 0, 0, 0, 1, 1])
    graph.head(x, 6, CLASSES)
    graph.save(path, {"x": ("n", 3, 16, 16, 16)}, ["scores"])
    return "--preset", "c3d", "--crop", "16", "--short-side", "20", "--clips", "2"


def i3d(path):
    """Channels last, an average pool over time, logits averaged over what is left of it."""
    graph = Graph()
    x = graph.add("Transpose", ["x"], "ncthw", perm=[0, 4, 1, 2, 3])
    x = graph.conv(x, "conv1", random_conv(4, 3, 3, 3, 3), pads=[1] * 6, strides=[2, 2, 2])
    x = graph.add("AveragePool", [x], "pool", kernel_shape=[2, 8, 8], strides=[1, 1, 1])
    x = graph.conv(x, "logits", random_conv(CLASSES, 4, 1, 1, 1), relu=False)
    graph.add("ReduceMean", [x], "scores", axes=[2, 3, 4], keepdims=0)
    graph.save(path, {"x": (1, "t", 16, 16, 3)}, ["scores"])
    return "--preset", "i3d", "--crop", "16", "--short-side", "16"


def r2plus1d(path):
    """A convolution in space, then one in time, and a residual branch."""
    graph = Graph()
    x = graph.conv("x", "space", random_conv(5, 3, 1, 3, 3), pads=[0, 1, 1, 0, 1, 1], strides=[1, 2, 2])
    x = graph.conv(x, "time", random_conv(6, 5, 3, 1, 1), pads=[1, 0, 0, 1, 0, 0])
    y = graph.conv(x, "space2", random_conv(6, 6, 1, 3, 3), pads=[0, 1, 1, 0, 1, 1])
    y = graph.conv(y, "time2", random_conv(6, 6, 3, 1, 1), pads=[1, 0, 0, 1, 0, 0], relu=False)
    graph.head(graph.add("Add", [x, y], "sum"), 6, CLASSES)
    graph.save(path, {"x": ("n", 3, 8, 16, 16)}, ["scores"])
    return "--preset", "r2plus1d", "--crop", "16", "--short-side", "16", "--clips", "2"


def slowfast(path):
    """Two inputs; the fast path joins the slow one by a convolution over its α frames."""
    graph = Graph()
    slow = graph.conv("slow", "a", random_conv(4, 3, 1, 3, 3), pads=[0, 1, 1, 0, 1, 1])
    fast = graph.conv("fast", "b", random_conv(2, 3, 3, 3, 3), pads=[1] * 6)
    lateral = graph.conv(fast, "lateral", random_conv(4, 2, 5, 1, 1), strides=[4, 1, 1], pads=[2, 0, 0, 2, 0, 0])
    graph.head(graph.add("Concat", [slow, lateral], "joined", axis=1), 8, CLASSES)
    graph.save(path, {"slow": ("n", 3, 8, 16, 16), "fast": ("n", 3, 32, 16, 16)}, ["scores"])
    return "--preset", "pyslowfast", "--crop", "16", "--short-side", "16", "--clips", "2"


@pytest.mark.parametrize("family", [c3d, i3d, r2plus1d, slowfast], ids=lambda family: family.__name__)
def test_a_network_of_three_dimensions_goes_from_videos_to_a_fusion(command, working_folder, family):
    words = family(working_folder / "m.onnx")
    names = ["run", "walk", "sit"]
    (working_folder / "classes.txt").write_text("\n".join(names) + "\n")
    (working_folder / "labels.csv").write_text("".join(f"v{i},{name}\n" for i, name in enumerate(names)))
    (working_folder / "clips").mkdir()
    for i in range(3):
        write_video(working_folder / "clips" / f"v{i}.avi", scenes.translating(12 + 9 * i, seed=i))
    command("idt-net", "m.onnx", "clips", "-o", "o", "--scores", "--classes", "classes.txt", *words)
    found = load("o/scores.h5")
    assert (found.names, found.classes) == (["v0", "v1", "v2"], names)
    assert len(np.unique(found.values, axis=0)) == 3
    _, out, _ = command("idt-fuse", "a=o/scores.h5", "b=o/scores.h5", "--labels", "labels.csv", "-o", "fused")
    assert "fused:" in out
