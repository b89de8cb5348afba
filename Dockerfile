# One image for the compiler and the runtime. Every package is the one that requirements.lock names, hashes checked;
# the development tools that the lock holds too stay behind in the first stage.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.lock pyproject.toml install_lock.sh ./
COPY edge/lock_part.py edge/
# The whole lock in /tools: what builds, and what tells which part of the lock the image needs.
RUN python -m venv /tools \
 && ./install_lock.sh /tools/bin/python requirements.lock \
 && /tools/bin/python edge/lock_part.py compiler,runtime >part.lock \
 && python -m venv /opt/switchgear \
 && ./install_lock.sh /opt/switchgear/bin/python part.lock
COPY README.md LICENSE .env.example ./
COPY workflow workflow
COPY governance governance
COPY compiler compiler
COPY runtime runtime
COPY switchgear switchgear
COPY migrations migrations
COPY demo demo
COPY specs specs
COPY docs docs
# From here on nothing is fetched.
ENV PIP_NO_INDEX=1
RUN /tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/switchgear/bin/python -m pip install --no-deps /wheels/*.whl

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /data switchgear
COPY --from=build /opt/switchgear /opt/switchgear
ENV PATH=/opt/switchgear/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SWITCHGEAR_DATABASE_URL=sqlite+aiosqlite:////data/switchgear.db \
    SWITCHGEAR_HOST=0.0.0.0 \
    SWITCHGEAR_PORT=8080
USER switchgear
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['SWITCHGEAR_PORT'] + '/health', timeout=2)"]
ENTRYPOINT ["switchgear"]
CMD ["serve"]
