"""Runs lines of Python in a process that has Airflow; a process of its own.

Airflow takes over the logging of the process that imports it, and takes seconds to
import: tests hand their lines to one process, one after the other.

Reads one JSON list a line from standard input: Python code, and variables of the
environment for it. Answers each with one line, the JSON of what the code has put into
`answer`. It ends when a piece of code fails, with a traceback on standard error.
"""

import json
import os
import sys

for line in sys.stdin:
    code, environment = json.loads(line)
    os.environ.update(environment)
    scope: dict[str, object] = {"answer": None}
    exec(code, scope)
    # Airflow may have put something else in the place of standard output.
    sys.__stdout__.write(f"answer: {json.dumps(scope['answer'])}\n")
    sys.__stdout__.flush()
