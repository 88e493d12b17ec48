"""Judges catalogues in JSON with the parser that American libraries' readers use (PyPI palace-webpub-manifest-parser): prints what it
finds wrong, a line each; exits 1 when there is anything."""
import sys

from webpub_manifest_parser.opds2 import OPDS2FeedParserFactory

found = 0
for path in sys.argv[1:]:
    try:
        errors = OPDS2FeedParserFactory().create().parse_file(path).errors
    except Exception as error:  # what it cannot read at all
        errors = [error]
    for error in errors:
        found += 1
        print(path, getattr(error, "error_message", error), sep="\t")
sys.exit(1 if found else 0)
