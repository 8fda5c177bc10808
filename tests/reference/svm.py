"""The linear SVM as docs/method/encoding.md, section 8.1, words it, as a quadratic programme for a general solver:
slow, few points only.

Unknowns are w, b and one slack per point: minimise ½‖w‖² + Σ C_i ξ_i with t_i (w·x_i + b) ≥ 1 − ξ_i and ξ_i ≥ 0.
"""

import numpy as np
from scipy.optimize import minimize


def solve(X, signs, penalties):
    """Return w (d,) and b of one class against the rest."""
    n, d = X.shape

    def value(unknowns):
        return unknowns[:d] @ unknowns[:d] / 2 + penalties @ unknowns[d + 1 :]

    def slope(unknowns):
        return np.concatenate([unknowns[:d], [0.0], penalties])

    margins = np.hstack([signs[:, None] * X, signs[:, None], np.eye(n)])
    slacks = np.hstack([np.zeros((n, d + 1)), np.eye(n)])
    constraints = [
        {"type": "ineq", "fun": lambda unknowns: margins @ unknowns - 1, "jac": lambda _: margins},
        {"type": "ineq", "fun": lambda unknowns: slacks @ unknowns, "jac": lambda _: slacks},
    ]
    start = np.concatenate([np.zeros(d + 1), np.ones(n)])
    options = {"maxiter": 1000, "ftol": 1e-12}
    found = minimize(value, start, jac=slope, constraints=constraints, method="SLSQP", options=options)
    return found.x[:d], found.x[d]


def objective(X, signs, penalties, w, b):
    hinge = [max(0.0, 1 - t * (x @ w + b)) for x, t in zip(X, signs, strict=True)]
    return w @ w / 2 + penalties @ np.array(hinge)
