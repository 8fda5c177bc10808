"""Late fusion the slow way: dictionaries, one video after the other."""

import math


def normalized(scores, norm):
    """Scores of one video, class → score, on a common scale."""
    if norm == "none":
        return dict(scores)
    if norm == "softmax":
        largest = max(scores.values())
        powers = {label: math.exp(score - largest) for label, score in scores.items()}
        return {label: power / sum(powers.values()) for label, power in powers.items()}
    if norm == "l2":
        length = math.sqrt(sum(score**2 for score in scores.values()))
        return {label: score / length for label, score in scores.items()}
    if norm == "logz":
        total = sum(scores.values())
        scores = {label: math.log(max(score / total, 1e-6)) for label, score in scores.items()}
    mean = sum(scores.values()) / len(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores.values()) / len(scores))
    return {label: (score - mean) / spread for label, score in scores.items()}


def fused(tables, weights, norms):
    """Video → class → score, of tables video → class → score."""
    found = {}
    for video in tables[0]:
        rows = [normalized(table[video], norm) for table, norm in zip(tables, norms, strict=True)]
        found[video] = {
            label: sum(weight * row[label] for weight, row in zip(weights, rows, strict=True)) for label in rows[0]
        }
    return found


def accuracy(table, labels):
    """Share of the videos whose highest score is that of their label."""
    return sum(max(scores, key=scores.get) == labels[video] for video, scores in table.items()) / len(table)
