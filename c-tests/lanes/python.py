"""The Python lane: runs the suite that the first argument names, with Python's socket module. The other
arguments are ids of cases. Python 3.9 and its standard library are enough."""

import importlib.util
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main(name, *ids):
    sys.path.insert(0, str(ROOT / "common"))
    path = ROOT / "suites" / name / "python" / "suite.py"
    spec = importlib.util.spec_from_file_location("suite", path)
    suite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(suite)
    suite.main(ids)


if __name__ == "__main__":
    main(*sys.argv[1:])
