# Two images of one package: `indexer` writes an index, `service` answers from it without PyTorch.
# docker-compose.yml runs both; docs/docker.md tells how.
FROM python:3.11-slim-bookworm AS base

# Modules are compiled when they are installed: the user of the container could not write them.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

# A volume that is new takes its owner from the folder it is mounted on, in whichever image.
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin films \
    && install --directory --owner films --group films /data
# onnxruntime would tell its maker about every start.
ENV HYBRID_DATA=/data \
    ORT_DISABLE_TELEMETRY=1

WORKDIR /usr/src/films


FROM base AS indexer

# PyTorch without what it has for GPUs is in an index of its own, to which uv knows the way. Empty takes
# the much larger PyTorch of PyPI.
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

# Elsewhere than the sources, so that what runs is the installed package.
WORKDIR /srv
USER 10001:10001
# As Ctrl-C: the build removes what it has begun.
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
# gunicorn answers the requests that it has, then ends.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "hybrid", "serve"]
