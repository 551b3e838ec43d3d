"""The local runtime: PostgreSQL and Airflow under one ignored folder, loopback only."""
