"""Fisher vectors and EM beside VLFeat, scikit-image and scikit-learn, on one thread, in one run.

python -m benchmarks.bench_fisher [--json FILE]

Before anything is timed, the vector is compared with the definition in float64 (``tests/reference``), and vector and
likelihood with VLFeat in double precision. Rates are medians, in descriptors per second for a vector and in
descriptors · iterations per second for EM. Without VLFeat (Debian's ``libvlfeat1``) or scikit-image their rows name the
reason instead.
"""

import argparse
import json
import platform
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from benchmarks import vlfeat
from encoding.fisher import fisher_vector
from encoding.gmm import DiagonalGMM
from tests.reference import fisher as reference

MOST_DIFFERENCE = 1e-4  # ‖a − b‖ / ‖b‖ of two vectors, and nats per descriptor of two likelihoods
GROWTH = {"n": (5_000, 40_000), "n_components": (64, 512), "n_features": (16, 128)}


def case(n, n_components, n_features, seed=0):
    """Descriptors without clear clusters, as real ones are, and a mixture that EM starts from: rows of them, all alike.

    EM is slow on them, so that VLFeat does not stop early, and no component runs empty: what each library then does is
    its own, and the likelihoods part.
    """
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 8)) @ rng.normal(size=(8, n_features)) / 2
    rows = (np.sin(hidden) + rng.normal(scale=0.3, size=(n, n_features))).astype(np.float32)
    variances = np.tile(rows.var(axis=0), (n_components, 1))
    return rows, (rows[:n_components], variances, np.full(n_components, 1 / n_components, np.float32))


def run(*, n=60_000, n_components=256, n_features=54, n_iter=10, repeats=5):
    """Check, then time; a report of plain numbers and, for the rivals that are absent, reasons."""
    rows, start = case(n, n_components, n_features)
    library = vlfeat.load()
    with threadpool_limits(1):
        began = time.perf_counter()
        gmm = DiagonalGMM(n_components).fit_from(rows[: 4 * n_components], *start, 1)
        fisher_vector(rows[:2], gmm)
        first_call = time.perf_counter() - began
        gmm = DiagonalGMM(n_components).fit_from(rows, *start, n_iter)
        agreement = check(library, rows, start, gmm, n_iter)
        fisher, em = fisher_tasks(library, rows, gmm), em_tasks(library, rows, start, n_iter)
        return {
            "case": {"descriptors": n, "components": n_components, "features": n_features, "iterations": n_iter},
            "machine": {"processor": processor(), "threads": 1, "python": platform.python_version()},
            "seconds of the first call": first_call,
            "agreement": agreement,
            "fisher": rates(fisher, n, repeats),
            "em": rates(em, n * n_iter, repeats),
        }


def check(library, rows, start, gmm, n_iter):
    """Largest differences from the definition and from VLFeat; raises where they are too large."""
    parameters = (gmm.means_, gmm.variances_, gmm.weights_)
    few = rows[:20]
    expected = reference.fisher_vector(few, *parameters, orders=("first", "second"))
    found = {"vector, definition": relative(fisher_vector(few, gmm), expected)}
    if library is not None:
        double = rows.astype(np.float64)
        expected = vlfeat.fisher_vector(library, double, *parameters)
        found["vector, VLFeat"] = relative(fisher_vector(rows, gmm), expected)
        likelihood = vlfeat.em(library, double, *start, n_iter)[0]
        found["likelihood, VLFeat"] = abs(gmm.log_likelihoods_[-1] - likelihood)
    for name, difference in found.items():
        if not difference < MOST_DIFFERENCE:
            raise RuntimeError(f"{name}: differs by {difference:.2g}, more than {MOST_DIFFERENCE:g}; not timed")
    return found


def fisher_tasks(library, rows, gmm):
    """What makes a Fisher vector of the rows under the mixture: name → call, or the reason of its absence."""
    parameters = (gmm.means_, gmm.variances_, gmm.weights_)
    tasks = {"ours": lambda: fisher_vector(rows, gmm), **vlfeat_tasks(library, vlfeat.fisher_vector, rows, *parameters)}
    try:
        from skimage.feature import fisher_vector as rival
    except ImportError:
        tasks["scikit-image"] = "not installed"
    else:
        mixture = GaussianMixture(len(gmm.means_), covariance_type="diag")
        mixture.means_, mixture.covariances_, mixture.weights_ = (part.astype(np.float64) for part in parameters)
        mixture.precisions_cholesky_ = 1 / np.sqrt(mixture.covariances_)
        tasks["scikit-image"] = lambda: rival(rows, mixture)
    return tasks


def em_tasks(library, rows, start, n_iter):
    """What runs EM on the rows: name → call, or the reason of its absence."""
    means, variances, weights = start
    rival = GaussianMixture(
        len(means),
        covariance_type="diag",
        max_iter=n_iter,
        tol=0,
        weights_init=weights.astype(np.float64) / weights.sum(dtype=np.float64),
        means_init=means,
        precisions_init=1 / variances,
        init_params="random_from_data",
    )

    def scikit_learn():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            rival.fit(rows)

    return {
        "ours": lambda: DiagonalGMM(len(means)).fit_from(rows, *start, n_iter),
        **vlfeat_tasks(library, vlfeat.em, rows, *start, n_iter),
        "scikit-learn": scikit_learn,
    }


def vlfeat_tasks(library, function, *arguments):
    """VLFeat's own vector code, and its plain loops, which are faster on some machines."""
    if library is None:
        return {"VLFeat": "libvl.so.1 is not installed (apt-get install libvlfeat1)"}

    def call(simd):
        library.vl_set_simd_enabled(simd)
        function(library, *arguments)

    return {"VLFeat": lambda: call(True), "VLFeat, SIMD off": lambda: call(False)}


def rates(tasks, work, repeats):
    """Median rate of each task; the rivals take turns with ours, so that all see the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name, task in tasks.items() if callable(task)}
    for _ in range(repeats):
        for name, taken in seconds.items():
            began = time.perf_counter()
            tasks[name]()
            taken.append(time.perf_counter() - began)
    return {name: work / float(np.median(seconds[name])) if callable(task) else task for name, task in tasks.items()}


def growth(repeats=5):
    """Slope of log time over log size of our Fisher vector, for T, K and D each: 1 is proportional."""
    slopes = {}
    for name, sizes in GROWTH.items():
        seconds = []
        for size in sizes:
            rows, start = case(**{"n": 10_000, "n_components": 256, "n_features": 54, name: size})
            gmm = DiagonalGMM.from_parameters(*start)
            seconds.append(1 / rates({"ours": partial(fisher_vector, rows, gmm)}, 1, repeats)["ours"])
        slopes[name] = float(np.log(seconds[1] / seconds[0]) / np.log(sizes[1] / sizes[0]))
    return slopes


def relative(a, b):
    """‖a − b‖ / ‖b‖."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def processor():
    """Name of the processor, as far as the system tells."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def table(report):
    """The report in lines to read."""
    lines = [f"{name}: {difference:.1e}" for name, difference in report["agreement"].items()]
    for kind, unit in (("fisher", "descriptors/s"), ("em", "descriptors·iterations/s")):
        lines.append(f"{kind} ({unit})")
        for name, rate in report[kind].items():
            times = "" if isinstance(rate, str) else f"{report[kind]['ours'] / rate:6.1f} × slower" * (name != "ours")
            lines.append(f"  {name:18}{rate if isinstance(rate, str) else format(rate, '12,.0f')} {times}".rstrip())
    return "\n".join(lines)


def main():
    """Run the standard case and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the report to this file")
    path = parser.parse_args().json
    report = {**run(), "growth": growth()}
    print(table(report))
    print("growth:", ", ".join(f"{name} {slope:.2f}" for name, slope in report["growth"].items()))
    if path:
        path.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
