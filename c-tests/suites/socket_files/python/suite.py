"""Runs the cases of cases.def with Python's socket module, from the calls in C's lines."""

import pathlib

import calls

# The sockets that are not streams, by the id of the case, or by the part of the id before the dot.
KINDS = {
    "B09": {"d": "datagram", "s": "datagram"},
    "D01.seqpacket": {"d": "datagram", "s": "seqpacket"},
    "D01": {"d": "datagram"},
    "D02": {"d": "datagram"},
    "D03": {"d": "datagram", "s": "datagram", "t": "datagram"},
    "D04": {"d": "datagram"},
    "E08": {"s": "datagram", "c": "datagram", "d": "datagram"},
}

UNSHARE = "the function os.unshare exists only since Python 3.12, and this lane runs on 3.9 too"
# The cases whose line does not show what they do.
NOT_ASKED = {
    "B11.abstract_name": UNSHARE,
    "B11.pathname": UNSHARE,
    "D01.another_network": UNSHARE,
    "P32.threads": calls.WRITTEN,
}

# Facts that the line of a case does not show: how many calls each part of another user has, if it is not
# one, which sockets are made before the first call, and whether the directory belongs to that user.
SETUPS = {
    "E05.owner": {"parts": [6], "owner": True},
    "E08.datagram": {"parts": [1, 2], "made": "c"},
}


def main(ids):
    calls.run_suite(pathlib.Path(__file__).parent.parent, ids, KINDS, NOT_ASKED, SETUPS)
