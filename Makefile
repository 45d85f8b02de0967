# `make` lists what there is.
bin := .venv/bin
export UV_CACHE_DIR ?= $(CURDIR)/.venv/.uv-cache

.PHONY: help setup demo check test bench airflow compose containers databases kubeflow remote lock clean

help:  ## what you are reading
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' Makefile

setup:  ## make .venv; at once when nothing changed
	@sh setup.sh

demo: setup  ## the taxi pipeline, from raw data to a model that a server answers for over REST
	$(bin)/slipway run configs/taxi.yaml
	$(bin)/slipway serve taxi --try --engine embedded

check: setup  ## style, types, what may import what, house rules
	$(bin)/ruff check && $(bin)/ruff format --check && $(bin)/mypy && $(bin)/lint-imports --no-logo && $(bin)/pytest -q tests/house

test: setup  ## every test, the end-to-end ones too, in two processes
	$(bin)/pytest -n 2 --dist loadgroup --no-loadscope-reorder

bench: setup  ## the programs behind the figures in the docs
	for program in benchmarks/[a-z]*.py; do $(bin)/python -P "$$program" || exit 1; done

containers: setup  ## the files for containers and clusters, built and played with podman; as root
	.ci/containers

compose: setup  ## compose.yaml with podman: the database, the taxi pipeline in a container, the server; as root
	.ci/compose

kubeflow: setup  ## the taxi pipeline as Kubeflow runs it, each step in a container of the project's image, with podman; as root
	.ci/kubeflow

databases: setup  ## lineage in PostgreSQL and MariaDB, which must be installed
	$(bin)/pytest -n 2 tests/databases

# Apart from the environment of the project: none of these is in its lock.
remote: setup  ## artifacts in a bucket of S3, of moto's server; Python 3.11, since tensorflow-io has no newer one
	$(bin)/uv venv --quiet --clear --python $(bin)/python .venv/.remote/moto
	$(bin)/uv pip install --quiet --python .venv/.remote/moto/bin/python 'moto[server]'
	$(bin)/uv pip install --quiet --python $(bin)/python --no-deps --target .venv/.remote/s3 \
		tensorflow-io==0.37.1 tensorflow-io-gcs-filesystem==0.37.1 boto3 botocore s3transfer jmespath
	$(bin)/pytest tests/remote

airflow: setup  ## what --runner airflow writes, in a real Airflow, which is installed into .slipway/airflow
	$(bin)/pytest tests/airflow

lock: setup  ## resolve pyproject.toml into requirements.txt, and the image's from that; newest of all with args=--upgrade
	$(bin)/uv pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command "make lock" \
		--all-extras --group dev $(args) -o requirements.txt pyproject.toml
	{ cat serving/docker/packages.txt; sed -n "s/^tensorflow==\([^ ]*\) .*>= '3.12'.*/tensorflow-cpu==\1/p" requirements.txt; } | \
		$(bin)/uv pip compile --quiet --generate-hashes --no-annotate --custom-compile-command "make lock" --python-version 3.13 \
		--python-platform x86_64-manylinux_2_28 --constraints requirements.txt --no-emit-package tensorflow \
		--no-emit-package libclang -o serving/docker/requirements.txt -

clean:  ## remove .venv and the tools' caches, keep .slipway (models, data, metadata)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
