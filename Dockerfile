# Slipway with all that its pipelines need: docs/containers.md. Kubeflow runs every step of a pipeline in it.
#     docker build -t slipway:1 .
#     docker run --rm -v slipway:/var/lib/slipway slipway:1 slipway run configs/taxi.yaml
# Any Debian or Ubuntu for x86-64 with Python 3.13, its venv module and glibc 2.39 will do.
ARG BASE=python:3.13-slim

FROM ${BASE} AS packages
# Of a machine whose packages come through a mirror, or through a proxy with a certificate of its own.
ARG SSL_CERT_FILE
ARG PIP_INDEX_URL
# Without its GPU part, which a base without CUDA cannot use; for GPUs: --build-arg "TENSORFLOW=tensorflow[and-cuda]"
ARG TENSORFLOW=tensorflow-cpu
RUN apt-get update -q && apt-get install -q --yes --no-install-recommends binutils
WORKDIR /slipway
COPY pyproject.toml requirements.txt ./
COPY serving/docker/requirements.txt tensorflow-cpu.txt
# What the project itself needs, in the locks' versions, by their hashes; no tools of development, and no libclang, which
# TensorFlow asks for and never imports. What was taken becomes the lock that `slipway doctor` compares with.
RUN python3 -m venv /uv && sed -n '/^uv==/,/[^\\]$/p' requirements.txt | /uv/bin/pip install --no-cache-dir -r /dev/stdin \
    && python3 -m venv --without-pip .venv \
    && printf '%s\n' "libclang; python_version < '0'" "tensorflow; python_version < '0'" >overrides.txt \
    && if [ "$TENSORFLOW" != tensorflow-cpu ]; then sed -i "s/^tensorflow;.*/$TENSORFLOW/" overrides.txt; fi \
    && echo "$TENSORFLOW" >tensorflow.txt \
    && export UV_PYTHON=.venv/bin/python UV_NO_CACHE=1 UV_BUILD_CONSTRAINT=requirements.txt UV_DEFAULT_INDEX="$PIP_INDEX_URL" \
    && /uv/bin/uv pip compile -q --no-annotate --no-header --constraints requirements.txt --constraints tensorflow-cpu.txt \
        --overrides overrides.txt pyproject.toml tensorflow.txt -o names.txt \
    && awk 'END { for (unlocked in wanted) print unlocked } NR == FNR { wanted[$1]; next } \
        /^[^ ]/ { kept = $1 in wanted; delete wanted[$1] } kept' names.txt requirements.txt tensorflow-cpu.txt >taken.txt \
    && mv taken.txt requirements.txt && /uv/bin/uv pip sync requirements.txt
# Gone: headers for C++, packages' own tests (numpy.testing imports some of numpy's) and what they read, symbols for debuggers.
# Emptied folders stay, since the data set docs masks their names. Bytecode stays: each step would compile it anew.
RUN cd .venv/lib/python3.*/site-packages \
    && rm -r tensorflow/include/* \
    && find . -path '*/tests/*' ! -path './numpy/_core/*' -delete \
    && find tfx/components/testdata -mindepth 1 -maxdepth 1 ! -name penguin -exec rm -r {} + \
    && find . -name '*.so*' -type f ! -path './*.libs/*' ! -path './nvidia/*' -exec strip --strip-unneeded {} + \
    && python3 -m compileall -q -j 0 .
# Who asks for the version of `tensorflow`, as the data set docs, is told that of tensorflow-cpu.
RUN cd .venv/lib/python3.*/site-packages \
    && for info in tensorflow_cpu-*.dist-info; do if [ -d "$info" ]; then \
        mkdir "tensorflow-${info#*-}" && sed 's/^Name: .*/Name: tensorflow/' "$info/METADATA" >"tensorflow-${info#*-}/METADATA"; fi; done

FROM ${BASE}
WORKDIR /slipway
# A layer of its own: after a change of the code alone, only the small ones below are pushed and pulled.
COPY --from=packages /slipway/.venv .venv
COPY . .
COPY --from=packages /slipway/requirements.txt .
RUN --mount=type=bind,from=packages,source=/uv,target=/uv \
    /uv/bin/uv pip install --python .venv/bin/python --no-cache --offline --no-deps --no-build-isolation -e . \
    && python3 -m compileall -q . -x /.venv/ \
    && install -d -o 1000 -g 1000 /var/lib/slipway
# A home for the caches of libraries, which the user has none of.
ENV PATH=/slipway/.venv/bin:${PATH} SLIPWAY_HOME=/var/lib/slipway HOME=/tmp
USER 1000:1000
CMD ["slipway", "--help"]
