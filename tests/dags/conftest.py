"""Airflow must know its home before it is imported for the first time."""

import atexit
import os
import shutil
import tempfile

home = tempfile.mkdtemp(prefix="cx-tests-airflow-")
atexit.register(shutil.rmtree, home, ignore_errors=True)
os.environ["AIRFLOW_HOME"] = home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"
