"""Runs the cases of cases.def with Python's socket module, from the calls in C's lines."""

import pathlib

import calls

# The sockets that are not streams, by the id of the case, or by the part of the id before the dot.
KINDS = {
    "A18.datagram": {"s": "datagram", "c": "datagram"},
    "C07.datagram": {"s": "datagram"},
    "C07.seqpacket": {"s": "seqpacket"},
}


def main(ids):
    calls.run_suite(pathlib.Path(__file__).parent.parent, ids, KINDS, {}, {})
