"""Makes vlfeat.npz: what VLFeat 0.9.21 (Debian's libvlfeat1, through ctypes, double precision) finds on a small case.

Run from the root of the repository: python tests/data/vlfeat/make_vlfeat.py

rows (400, 5) float32; start_means, start_variances (6, 5) and start_weights (6,) float32; means, variances, weights and
log_likelihood (per row) after 10 iterations of vl_gmm_em from that start; fisher, fisher_hard (60,): vl_fisher_encode
of other (150, 5) float32 under the start, flags 0 and VL_FISHER_FLAG_FAST.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from benchmarks import vlfeat  # noqa: E402 (the repository's root must be on the path first)


def main():
    """Compute and store."""
    library = vlfeat.load()
    if library is None:
        sys.exit("libvl.so.1 is not installed: apt-get install libvlfeat1")
    rng = np.random.default_rng(20130812)
    centres = rng.normal(scale=1.5, size=(6, 5))
    rows, other = ((centres[rng.integers(6, size=n)] + rng.normal(size=(n, 5))).astype(np.float32) for n in (400, 150))
    start = (
        centres.astype(np.float32),
        rng.uniform(0.5, 2, size=(6, 5)).astype(np.float32),
        rng.dirichlet(np.full(6, 5.0)).astype(np.float32),
    )
    double = [part.astype(np.float64) for part in start]
    log_likelihood, means, variances, weights = vlfeat.em(library, rows.astype(np.float64), *double, 10)
    fisher, fisher_hard = (
        vlfeat.fisher_vector(library, other.astype(np.float64), *double, flags=flags) for flags in (0, vlfeat.FAST)
    )
    np.savez(
        HERE / "vlfeat.npz",
        rows=rows,
        other=other,
        start_means=start[0],
        start_variances=start[1],
        start_weights=start[2],
        means=means,
        variances=variances,
        weights=weights,
        log_likelihood=log_likelihood,
        fisher=fisher,
        fisher_hard=fisher_hard,
    )


if __name__ == "__main__":
    main()
