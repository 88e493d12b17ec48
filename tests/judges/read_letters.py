"""Reads letters (one .eml a path) with Python's email, as strictly as it can: prints what a person would see of each, in JSON, a line a
letter; exits 1 when any has a defect."""
import email
import email.policy
import json
import pathlib
import sys

bad = False
for path in sys.argv[1:]:
    message = email.message_from_bytes(pathlib.Path(path).read_bytes(), policy=email.policy.default)
    seen = {"path": path, "headers": {}, "parts": [], "defects": []}
    for name, value in message.items():
        seen["headers"][name] = str(value)
        seen["defects"] += [f"{name}: {defect}" for defect in value.defects]
    for part in message.walk():
        seen["defects"] += [str(defect) for defect in part.defects]
        for name, value in part.items():
            seen["defects"] += [f"{name}: {defect}" for defect in value.defects]
        if part.is_multipart():
            continue
        content = part.get_content()
        seen["parts"].append({
            "type": part.get_content_type(),
            "name": part.get_filename() or "",
            "length": len(content),
            "text": content if isinstance(content, str) else "",
        })
    bad = bad or bool(seen["defects"])
    print(json.dumps(seen))
sys.exit(1 if bad else 0)
