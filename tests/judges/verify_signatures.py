"""Verifies every DKIM signature of letters with dkimpy: RECORDS.json, then one .eml a path. Prints `PATH VERIFIED OF`, a line a letter;
exits 1 when any fails. The records stand in for the DNS."""
import json
import pathlib
import sys

import dkim

records = json.loads(pathlib.Path(sys.argv[1]).read_text())


def answer(name, timeout=5):
    return records[name.decode().rstrip(".")].encode()


bad = False
for path in sys.argv[2:]:
    message = pathlib.Path(path).read_bytes()
    n_signatures = message.split(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    n_good = 0
    for nth in range(n_signatures):
        try:
            n_good += dkim.DKIM(message).verify(idx=nth, dnsfunc=answer)
        except dkim.DKIMException as error:
            print(path, nth, error)
    print(path, n_good, n_signatures)
    bad = bad or n_good != n_signatures or n_signatures == 0
sys.exit(1 if bad else 0)
