# Every target sets up what it needs: a virtual environment in .venv with this checkout installed in it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
comma := ,
PINNED ?= .ci/pinned.txt
OUT ?= demo-out
SCENE := $(OUT)/scene/walk/actor01_walk.avi
VIDEO ?= $(SCENE)
MUTANTS ?= 20000
SEED ?= 1
FRAMES ?= 100000
MOMENTS ?= 30

.PHONY: demo demo-video demo-actions demo-network pictures test test-fast soak lint docs bench bench-presets clean

# With a video of one's own only that video is looked at; else a labelled set is rendered and recognised as well.
demo: $(if $(filter command line,$(origin VIDEO)),demo-video,demo-video demo-actions)

demo-video: $(VENV)/.installed $(filter $(SCENE),$(VIDEO))
	@mkdir -p $(OUT)
	$(BIN)/idt-extract $(VIDEO) -o $(OUT)/tracks.h5 --threads 2 --overwrite
	$(BIN)/idt-show $(VIDEO) -o $(OUT)/tracks.png --threads 2 --overwrite
	$(BIN)/idt-show $(VIDEO) --step flow -o $(OUT)/flow.png --threads 2 --overwrite
	$(BIN)/python examples/demo.py $(OUT)/tracks.h5
	@echo "Open $(abspath $(OUT))/tracks.png: what moves by itself is green, what moves with the camera blue;"
	@echo "     $(abspath $(OUT))/flow.png: the optical flow with the camera's motion, and without it."

# A walker before a textured scene, seen by a camera that pans.
$(SCENE): | $(VENV)/.installed
	$(BIN)/python examples/actors.py $(OUT)/scene --actions walk --actors 1 --frames 45 --size 320x240

WAVER := wave/actor01_wave
EXPLAIN = $(BIN)/idt-explain $(OUT)/report/features/$(WAVER).h5 --frames $(OUT)/clips/$(WAVER).avi --overwrite \
	--model $(OUT)/held-out/model.h5 --codebook $(OUT)/held-out/codebook.h5

demo-actions: $(VENV)/.installed
	$(BIN)/python examples/actors.py $(OUT)/clips
	$(BIN)/idt-evaluate folder $(OUT)/clips --group "actor[0-9]+" --k 16 -o $(OUT)/report --jobs 2 --overwrite
	@cat $(OUT)/report/confusion.csv
	$(BIN)/python examples/hold_out.py $(OUT)/report actor01 $(OUT)/held-out
	$(EXPLAIN) --class wave -o $(OUT)/why.png
	$(EXPLAIN) --class wave --by without -o $(OUT)/without.png
	@echo "Open $(abspath $(OUT))/why.png: which tracks of an actor whom the model has never seen say that he waves;"
	@echo "     $(abspath $(OUT))/without.png: what the score loses without each region;"
	@cd $(abspath $(OUT))/report && for page in html md; do \
		if test -e report.$$page; then echo "     $(abspath $(OUT))/report/report.$$page: the report."; break; fi; done

# The pictures of the README.
pictures: demo-actions
	$(BIN)/python examples/actors.py $(OUT)/large --actors 1 --size 320x240
	$(BIN)/idt-show $(OUT)/large/wave/actor01_wave.avi -o docs/pictures/tracks.jpg --stride 8 --scales 3 --overwrite
	$(EXPLAIN) --class wave -o docs/pictures/evidence.jpg

# A real network beside iDT: EfficientNet-Lite0 from a PyPI package (no download besides that), on two pictures and on
# the rendered actions of demo-actions.
demo-network: $(VENV)/.installed-examples
	$(BIN)/python examples/image_network.py $(OUT)/lite0.onnx
	$(BIN)/python examples/actors.py $(OUT)/clips
	$(BIN)/idt-extract $(OUT)/clips -o $(OUT)/with-maps --maps $(OUT)/lite0.onnx:stride16 \
	  --maps-preset efficientnet-lite --jobs 2 --overwrite
	$(BIN)/python examples/beside_network_features.py $(OUT)/clips $(OUT)/with-maps $(OUT)/lite0.onnx

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q

# For daily work, on two cores. The kernels are compiled first, or each of the two processes would do it.
test-fast: $(VENV)/.installed-dev
	$(BIN)/python -c "from idt.batch.precompile import compile_missing; compile_missing()"
	$(BIN)/python -m pytest -q -m "not slow" -n 2 --dist loadfile

# As many damaged and forged files as asked for, a long video, and every command ended in every way at random moments:
# make soak MUTANTS=100000 SEED=1 FRAMES=100000 MOMENTS=30.
# Also the golden tests with numba's release candidate, if there is one, or with CANDIDATE=0.68.1rc2.
# With a folder of clips (CLIPS=...) also: runs that are killed, two processes against one, a cluster.
# The golden tests on an emulated aarch64 come last, for they take longest (AARCH64=DIR keeps what they fetch there).
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak frames --frames $(FRAMES)
	$(BIN)/python -m tests.soak broken
	$(BIN)/python -m tests.kills --moments $(MOMENTS) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.harness tests.fuzz.files --mutants $(MUTANTS) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.harness tests.fuzz.videos --mutants $(MUTANTS) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.harness tests.fuzz.texts --mutants $(MUTANTS) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.harness tests.fuzz.scores --mutants $(MUTANTS) --seed $(SEED)
	IDT_FLIPS=all $(BIN)/python -m pytest -q tests/hostile/test_flipped_bytes.py
	HYPOTHESIS_EXAMPLES=500 $(BIN)/python -m pytest -q tests/test_properties.py
	.ci/candidate $(CANDIDATE)
ifdef CLIPS
	$(BIN)/python -m tests.soak kills $(CLIPS)
	$(BIN)/python -m tests.soak dask $(CLIPS)
	$(BIN)/python -m tests.soak jobs $(CLIPS)
endif
	$(BIN)/python -m tests.aarch64 $(if $(AARCH64),--root $(AARCH64))

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy idt encoding classify
	$(BIN)/codespell --ignore-words-list="gool,lenght,caf" --skip="*.npz,*.avi,*.h5" idt encoding classify tests/*.py examples benchmarks docs/*.py docs/*.md docs/howto docs/gallery *.md
	$(BIN)/lint-imports

# Without a network; a warning is an error. The pages of commands and API are made of the code, the examples run.
docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "The documentation: $(abspath docs)/_build/html/index.html"

bench: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/run.py

# Hours with all rows, for the accuracy on Weizmann; goes on where it stopped.
bench-presets: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/bench_presets.py --accuracy

clean:
	rm -rf $(OUT) docs/_build docs/_generated build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path "./.venv*" -prune -exec rm -rf {} +

# The distribution is installed in place, so edits count at once; the stamps follow the metadata. In place pip leaves
# the byte code to the first import, which may not be allowed to write it. Where OpenCV misses a library of the desktop,
# such as libGL.so.1, its wheel without windows is installed.
define install
$(BIN)/python .ci/install.py $(PINNED) $(subst $(comma), ,$(1))
$(BIN)/python -m compileall -q idt encoding classify
endef

$(VENV)/.installed: setup.cfg pyproject.toml $(PINNED) | $(BIN)/python
	$(call install,av$(comma)plots)
	@touch $@

$(VENV)/.installed-examples: setup.cfg pyproject.toml $(PINNED) | $(BIN)/python
	$(call install,av$(comma)plots$(comma)examples)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: setup.cfg pyproject.toml $(PINNED) | $(BIN)/python
	$(call install,dev)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: setup.cfg pyproject.toml $(PINNED) | $(BIN)/python
	$(call install,dev$(comma)docs)
	@touch $@ $(VENV)/.installed-dev $(VENV)/.installed

$(VENV)/.installed-bench: setup.cfg pyproject.toml $(PINNED) | $(BIN)/python
	$(call install,av$(comma)plots$(comma)bench)
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
