# The server's image. Builds with the classic builder as well as with BuildKit:
#
#   docker build -t glovebox .
#   docker build -t glovebox --build-arg BASE=my-registry/python:3.11 .
#
# BASE needs Python 3.11 with venv on its PATH; pin it by digest for a release. A company network's CA goes into
# `extra-ca.crt` beside this file, in PEM, before the build.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY requirements.lock requirements-build.lock extra-ca*.crt ./
RUN if [ -f extra-ca.crt ]; then export PIP_CERT=/build/extra-ca.crt; fi \
    && python3 -m venv /opt/glovebox \
    && /opt/glovebox/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && python3 -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY server server
COPY sandbox sandbox
COPY agents_store agents_store
COPY examples examples
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build/dist . \
    && /opt/glovebox/bin/pip install --no-cache-dir --no-deps --no-index /build/dist/*.whl

FROM ${BASE}
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin glovebox \
    && install -d -m 0700 -o glovebox -g glovebox /var/lib/glovebox /run/glovebox
COPY --from=build /opt/glovebox /opt/glovebox
ENV PATH=/opt/glovebox/bin:$PATH GLOVEBOX_DATA_DIR=/var/lib/glovebox PYTHONUNBUFFERED=1
USER glovebox
WORKDIR /
VOLUME /var/lib/glovebox
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["glovebox"]
CMD ["serve", "--host", "0.0.0.0"]
