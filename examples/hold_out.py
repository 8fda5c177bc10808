"""Train the model of one split of an idt-evaluate report again, and save it for idt-explain.

Arguments: REPORT GROUP OUT. Writes OUT/model.h5 and OUT/codebook.h5. All videos without GROUP in
their names are training videos.

example: python examples/hold_out.py report actor01 held-out
"""

import sys
from pathlib import Path

from classify import LinearSVM, save_model
from encoding import Codebook, load_vectors

report, group, out = sys.argv[1:]
(split,) = (path for path in (Path(report) / "folds").iterdir() if group in path.name)
stored = load_vectors(split / "vectors.h5")
train = [i for i, name in enumerate(stored.names) if group not in name]
model = LinearSVM().fit(stored.encodings[train], [stored.names[i].partition("/")[0] for i in train])
Path(out).mkdir(parents=True, exist_ok=True)
made = {"layout": stored.layout, "codebook": stored.codebook, "encoding": stored.params, "source": None}
save_model(Path(out) / "model.h5", model, **made, overwrite=True)
Codebook.load(split / "codebook.h5").save(Path(out) / "codebook.h5", overwrite=True)
print(f"{out}: trained on {len(train)} videos, without those of {group}")
