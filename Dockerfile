# Airflow with the warehouse's code; every service of docker-compose.yml runs this image.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/warehouse \
    PATH=/opt/venv/bin:$PATH \
    AIRFLOW_HOME=/opt/airflow

RUN useradd --uid 50000 --create-home --home-dir /opt/airflow airflow \
    && mkdir /opt/warehouse /report /backups \
    && chown airflow:airflow /opt/airflow /report /backups

# The lock alone first, so that a change of code does not install everything again.
COPY bin/make-venv requirements.txt /opt/build/
RUN cd /opt/build \
    && export PIP_NO_CACHE_DIR=1 \
    && bash make-venv /opt/venv \
    && /opt/venv/bin/uv pip sync --python /opt/venv/bin/python --no-cache \
        --require-hashes --compile-bytecode requirements.txt \
    && rm -r /opt/build

COPY include /opt/warehouse/include
COPY expectations /opt/warehouse/expectations
COPY dbt_project /opt/warehouse/dbt_project
COPY dags /opt/warehouse/dags
COPY examples /opt/warehouse/examples

USER airflow
WORKDIR /opt/airflow
