# Slipway with all that its pipelines need. Kubeflow runs every step of a pipeline in it; see docs/kubeflow.md.
#     docker build -t slipway:1 .
#     docker run --rm -v slipway:/var/lib/slipway slipway:1 slipway run configs/taxi.yaml
# Any base for x86-64 with Python 3.13, its venv module and glibc 2.39 will do.
ARG BASE=python:3.13-slim

FROM ${BASE} AS made
# Of a machine whose packages come through a proxy with a certificate of its own.
ARG SSL_CERT_FILE
COPY . /slipway
# Headers for C++ are never read.
RUN sh /slipway/setup.sh \
    && rm -r /slipway/.venv/.uv-cache /slipway/.venv/lib/python3.*/site-packages/tensorflow/include \
    && install -d -o 1000 -g 1000 /var/lib/slipway

FROM ${BASE}
COPY --from=made /slipway /slipway
COPY --from=made --chown=1000:1000 /var/lib/slipway /var/lib/slipway
WORKDIR /slipway
# A home for the caches of libraries, which the user has none of.
ENV PATH=/slipway/.venv/bin:${PATH} SLIPWAY_HOME=/var/lib/slipway HOME=/tmp
USER 1000:1000
CMD ["slipway", "--help"]
