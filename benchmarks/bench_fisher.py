"""Fisher vectors and EM beside VLFeat, scikit-image and scikit-learn, on one thread, in turns.

Before anything is timed, the vector is compared with its definition in float64 (`defined_vector`), and vector and
likelihood with VLFeat in double precision. Without VLFeat (Debian's ``libvlfeat1``) or scikit-image their rows name the
reason instead.
"""

import warnings

import numpy as np
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from benchmarks import cases, vlfeat
from benchmarks.results import Row, in_turns
from encoding.coders.fisher import fisher_vector
from encoding.models.gmm import DiagonalGMM

NAME = "fisher"
MOST_DIFFERENCE = 1e-4  # ‖a − b‖ / ‖b‖ of two vectors, and nats per descriptor of two likelihoods
N_ITER = 10
SMALL = (2000, 64, 16)
NO_VLFEAT = "libvl.so.1 is not installed (apt-get install libvlfeat1)"
NO_SCIKIT_IMAGE = "scikit-image is not installed (pip install scikit-image)"


def measure(*, runs=5, small=False):
    """Compare our vectors and likelihoods with the rivals', then time all of them."""
    n, n_components, n_features = SMALL if small else (60_000, 256, 54)
    library = vlfeat.load()
    with cases.one_thread():
        rows, start, gmm, off = checked(n, n_components, n_features)
        sizes = f"{n:,} descriptors, K = {n_components}, D = {n_features}, one thread"
        fisher, em = fisher_tasks(library, rows, gmm), em_tasks(library, rows, start)
        return [
            *rates(f"Fisher vector, {sizes}", fisher, n, "descriptors/s", runs, off["vector"]),
            *rates(f"EM, {sizes}", em, n * N_ITER, "descriptors·iterations/s", min(runs, 3), off["likelihood"]),
        ]


def case(n, n_components, n_features, seed=0):
    """Draw descriptors without clear clusters, as real ones are, and a mixture that EM starts from.

    EM converges slowly on them, so that VLFeat does not stop early. No component runs empty, which each library would
    handle in its own way, so that the likelihoods would differ.
    """
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 8)) @ rng.normal(size=(8, n_features)) / 2
    rows = (np.sin(hidden) + rng.normal(scale=0.3, size=(n, n_features))).astype(np.float32)
    variances = np.tile(rows.var(axis=0), (n_components, 1))
    return rows, (rows[:n_components], variances, np.full(n_components, 1 / n_components, np.float32))


def checked(n, n_components, n_features):
    """Make a case and compare it with the rivals: rows, start, our mixture after 10 iterations, and its differences."""
    rows, start = case(n, n_components, n_features)
    gmm = DiagonalGMM(n_components).fit_from(rows, *start, N_ITER)
    return rows, start, gmm, differences(vlfeat.load(), rows, start, gmm)


def defined_vector(rows, means, variances, weights):
    """Return the Fisher vector as docs/method/encoding.md, section 6, defines it, in float64: u, then v."""
    rows, means, variances, weights = (np.asarray(values, np.float64) for values in (rows, means, variances, weights))
    z = (rows[:, None] - means) / np.sqrt(variances)
    posteriors = softmax(np.log(weights) - (z**2 + np.log(variances)).sum(axis=2) / 2, axis=1)
    u = np.einsum("tk,tkd->kd", posteriors, z) / (len(rows) * np.sqrt(weights))[:, None]
    v = np.einsum("tk,tkd->kd", posteriors, z**2 - 1) / (len(rows) * np.sqrt(2 * weights))[:, None]
    return np.concatenate([u.ravel(), v.ravel()])


def differences(library, rows, start, gmm):
    """Compute the differences from the definition and from VLFeat, and raise if one is too large."""
    parameters = (gmm.means_, gmm.variances_, gmm.weights_)
    few = rows[:20]
    expected = defined_vector(few, *parameters)
    found = {"vector": {"ours": relative(fisher_vector(few, gmm), expected)}, "likelihood": {}}
    if library is not None:
        double = rows.astype(np.float64)
        expected = vlfeat.fisher_vector(library, double, *parameters)
        found["vector"]["VLFeat"] = relative(fisher_vector(rows, gmm), expected)
        likelihood = vlfeat.em(library, double, *start, N_ITER)[0]
        found["likelihood"]["VLFeat"] = float(abs(gmm.log_likelihoods_[-1] - likelihood))
    for of, by in found.items():
        for name, difference in by.items():
            if not difference < MOST_DIFFERENCE:
                raise RuntimeError(f"{of}, {name}: off by {difference:.2g}, more than {MOST_DIFFERENCE:g}; not timed")
    return found


def fisher_tasks(library, rows, gmm):
    """List the implementations of the Fisher vector of the rows: name → call, or the reason why it is missing."""
    parameters = (gmm.means_, gmm.variances_, gmm.weights_)
    tasks = {"ours": lambda: fisher_vector(rows, gmm), **vlfeat_tasks(library, vlfeat.fisher_vector, rows, *parameters)}
    try:
        from skimage.feature import fisher_vector as rival
    except ImportError:
        tasks["scikit-image"] = NO_SCIKIT_IMAGE
    else:
        mixture = GaussianMixture(len(gmm.means_), covariance_type="diag")
        mixture.means_, mixture.covariances_, mixture.weights_ = (part.astype(np.float64) for part in parameters)
        mixture.precisions_cholesky_ = 1 / np.sqrt(mixture.covariances_)
        tasks["scikit-image"] = lambda: rival(rows, mixture)
    return tasks


def em_tasks(library, rows, start):
    """List the implementations of EM on the rows: name → call, or the reason why it is missing."""
    means, variances, weights = start
    options = {
        "covariance_type": "diag",
        "max_iter": N_ITER,
        "tol": 0,
        "weights_init": weights.astype(np.float64) / weights.sum(dtype=np.float64),
        "means_init": means,
        "precisions_init": 1 / variances,
        "init_params": "random_from_data",
    }
    rival = GaussianMixture(len(means), **options)
    centres = KMeans(len(means), init=means, n_init=1, max_iter=N_ITER, tol=0, algorithm="lloyd")
    tasks = {
        "ours": lambda: DiagonalGMM(len(means)).fit_from(rows, *start, N_ITER),
        **vlfeat_tasks(library, vlfeat.em, rows, *start, N_ITER),
        "scikit-learn": lambda: _quietly(rival.fit, rows),
        "scikit-learn's KMeans (hard)": lambda: _quietly(centres.fit, rows),
    }
    try:
        from skimage.feature import learn_gmm
    except ImportError:
        tasks["scikit-image"] = NO_SCIKIT_IMAGE
    else:
        tasks["scikit-image"] = lambda: _quietly(learn_gmm, rows, n_modes=len(means), gm_args=options)
    return tasks


def vlfeat_tasks(library, function, *arguments):
    """List calls of VLFeat with its SIMD code and with its scalar loops, which are faster on some machines."""
    if library is None:
        return {"VLFeat": NO_VLFEAT}

    def call(simd):
        library.vl_set_simd_enabled(simd)
        function(library, *arguments)

    return {"VLFeat": lambda: call(True), "VLFeat, SIMD off": lambda: call(False)}


def rates(case, tasks, work, unit, runs, off):
    """Measure the tasks and return rows of the table; a task that is text is the reason why it is not measured."""
    calls = {name: task for name, task in tasks.items() if callable(task)}
    seconds = in_turns(calls, runs)
    rows = []
    for name, task in tasks.items():
        if name not in calls:
            rows.append(Row(NAME, case, name, unit, reason=task))
            continue
        more = {"ours is": f"{np.median(seconds[name]) / np.median(seconds['ours']):.1f} ×"}
        if name in off:
            more["off by"] = f"{off[name]:.1e}"
        rows.append(Row(NAME, case, name, unit, tuple(work / taken for taken in seconds[name]), more=more))
    return rows


def relative(a, b):
    """Compute ‖a − b‖ / ‖b‖."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def _quietly(fit, *arguments, **options):
    """Run ``fit`` without the warning that it has not converged after ten iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit(*arguments, **options)
