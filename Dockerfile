# One image for every program: `serve` (default), `hub`, `api`, `sim`, `lots`, `users`, …
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/build.txt requirements/build.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
RUN useradd --system --create-home --uid 10001 autospot
COPY requirements/run.txt /tmp/run.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/run.txt && rm /tmp/run.txt
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl && rm -r /wheels
USER autospot
ENV AUTOSPOT_HTTP_HOST=0.0.0.0 AUTOSPOT_HTTP_PORT=8080 AUTOSPOT_LOG_FORMAT=json PYTHONUNBUFFERED=1
EXPOSE 8080
# Alive, not ready: a container must not be restarted because its database is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["autospot"]
CMD ["serve"]
