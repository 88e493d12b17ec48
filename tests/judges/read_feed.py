"""Reads a feed with feedparser, as many readers' programs do: prints its entries; exits 1 when it is not well-formed."""
import sys

import feedparser

feed = feedparser.parse(sys.argv[1])
for entry in feed.entries:
    print(entry.id, entry.link, entry.enclosures[0].length, len(entry.content[0].value), sep="\t")
if feed.bozo:
    print("bozo:", feed.bozo_exception)
sys.exit(1 if feed.bozo else 0)
