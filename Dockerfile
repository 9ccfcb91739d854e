# Two images of one package: `indexer` writes an index, `service` answers from it without PyTorch.
# docker-compose.yml runs both: docs/docker.md.
ARG PYTHON=python:3.11-slim-bookworm
FROM ${PYTHON} AS base

# Modules are compiled at installation: the user of the container cannot write them.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

# A new volume gets its owner from the folder it is mounted on, in either image.
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin films \
    && install --directory --owner films --group films /data
# onnxruntime would otherwise report every start to Microsoft.
ENV HYBRID_DATA=/data \
    ORT_DISABLE_TELEMETRY=1

WORKDIR /usr/src/films


FROM base AS package

COPY requirements-build.txt ./
RUN pip install --require-hashes --requirement requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY hybrid hybrid
COPY indexer indexer
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist .


FROM base AS indexer

# PyTorch without GPU support is in a separate package index, which uv knows. Empty means the much
# larger PyTorch of PyPI.
ARG TORCH_BACKEND=cpu
COPY requirements-build.txt requirements.txt ./
RUN pip install --require-hashes --requirement requirements-build.txt \
    && uv pip install --system --no-cache --compile-bytecode \
        ${TORCH_BACKEND:+--torch-backend=$TORCH_BACKEND} --requirement requirements.txt \
    && pip uninstall --yes uv

COPY --from=package /usr/src/films/dist dist
RUN pip install --no-deps --no-index dist/*.whl

WORKDIR /srv
USER 10001:10001
# Like Ctrl-C: the build removes what it has begun.
STOPSIGNAL SIGINT
CMD ["python", "-m", "indexer", "update", "sample", "--create", "--keep-changes"]


FROM base AS service

# The file is complete; without --no-deps, pip asks for a digest of `pydantic[email]` too.
COPY requirements-search.txt ./
RUN pip install --no-deps --require-hashes --requirement requirements-search.txt

COPY --from=package /usr/src/films/dist dist
RUN pip install --no-deps --no-index dist/*.whl \
    && pip check

WORKDIR /srv
USER 10001:10001
ENV HYBRID_HOST=0.0.0.0
EXPOSE 8000
# The service answers the requests in progress, then ends.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "hybrid", "serve"]
