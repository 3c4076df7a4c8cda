# One image for web, worker, migrations and simulators; the command says which.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install -r requirements.txt

FROM python:3.13-slim
# tini passes signals on and reaps what dies; the rest of the worker's life is in orchestrator_site/worker/cluster.py.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 orchestrator
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
ENV PATH="/venv/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_DIR="" LOG_FORMAT=json
# The key is needed to start and used for nothing here.
RUN ENVIRONMENT=production SECRET_KEY=build DATABASE_URL=postgres://nobody@localhost/none \
    python manage.py collectstatic --no-input
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
# --worker-tmp-dir: gunicorn's heartbeat must not wait for a disk. Four threads a process: more only queue.
ENTRYPOINT ["tini", "--"]
CMD ["gunicorn", "orchestrator_site.wsgi", "--bind=0.0.0.0:8000", "--workers=2", "--threads=4", \
    "--worker-class=gthread", "--keep-alive=75", "--graceful-timeout=30", "--no-control-socket", \
    "--worker-tmp-dir=/dev/shm"]
