# Each target does all the set-up it needs: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO ?= runs/demo

.PHONY: demo test lint types format clean

$(READY): pyproject.toml setup.py constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ltc-edge needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo 'Installing into $(VENV): this takes a minute or two.'
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,logs,litert,firmware,zenoh,dds,mavlink,ros,sweep,cluster,dev]'
	@touch $@

demo: $(READY)
	$(RUN)/ltc-edge train inverted-double-pendulum -o $(DEMO) --force
	$(RUN)/ltc-edge evaluate $(DEMO) --episodes 20
	$(RUN)/ltc-edge export $(DEMO) -o $(DEMO)-bundle --force
	$(RUN)/ltc-edge evaluate $(DEMO)-bundle --format tflite-int16x8 --episodes 20
	$(RUN)/ltc-edge profile $(DEMO)-bundle -o $(DEMO)-profile --iterations 10000 --rounds 10 --force
	$(RUN)/ltc-edge report $(DEMO)-bundle --profile $(DEMO)-profile/profile.json -o $(DEMO)-report.html --force

test: $(READY)
	$(RUN)/python -m pytest --numprocesses auto

lint: $(READY)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .

types: $(READY)
	$(RUN)/mypy

format: $(READY)
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist *.egg-info ltc_edge/kernels/libltc_edge_kernels.*
