# Two images of one package: `indexer` writes an index, `service` answers from it without PyTorch.
# docker-compose.yml runs both: docs/docker.md.
FROM python:3.11-slim-bookworm AS base

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


FROM base AS indexer

# PyTorch without GPU support is in a separate package index, which uv knows. Empty means the much
# larger PyTorch of PyPI.
ARG TORCH_BACKEND=cpu
COPY requirements.txt ./
RUN pip install uv==0.13.9 \
    && uv pip install --system --no-cache --compile-bytecode \
        ${TORCH_BACKEND:+--torch-backend=$TORCH_BACKEND} --requirement requirements.txt \
    && pip uninstall --yes uv

COPY pyproject.toml README.md LICENSE ./
COPY hybrid hybrid
COPY indexer indexer
RUN pip install --no-deps .

# Not the folder of the sources, so that the installed package runs.
WORKDIR /srv
USER 10001:10001
# Like Ctrl-C: the build removes what it has begun.
STOPSIGNAL SIGINT
CMD ["python", "-m", "indexer", "update", "sample", "--create", "--keep-changes"]


FROM base AS service

COPY requirements-search.txt ./
RUN pip install --requirement requirements-search.txt

COPY pyproject.toml README.md LICENSE ./
COPY hybrid hybrid
COPY indexer indexer
RUN pip install --no-deps .

WORKDIR /srv
USER 10001:10001
ENV HYBRID_HOST=0.0.0.0
EXPOSE 8000
# The service answers the requests in progress, then ends.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "hybrid", "serve"]
