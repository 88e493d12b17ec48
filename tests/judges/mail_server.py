"""A mail server that asks for a log-in under TLS: mail_server.py PORT tls|starttls CERTIFICATE KEY MAILBOX_FOLDER

Lays every letter that it takes into the folder, and prints `ready` once it listens.
"""
import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

port, way, certificate, key, folder = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


class Mailbox:
    """Keeps what comes."""

    count = 0

    async def handle_DATA(self, server, session, envelope):
        Mailbox.count += 1
        name = pathlib.Path(folder) / f"{Mailbox.count}.partial"
        name.write_bytes(envelope.content)
        name.rename(name.with_suffix(".eml"))
        return "250 taken"


def log_in(server, session, envelope, mechanism, login):
    good = getattr(login, "login", b"") == b"gazette" and getattr(login, "password", b"") == b"tide & time"
    return AuthResult(success=good)


options = {"hostname": "127.0.0.1", "port": int(port), "authenticator": log_in, "auth_required": True}
if way == "tls":
    controller = Controller(Mailbox(), ssl_context=context, auth_require_tls=False, **options)
else:
    controller = Controller(Mailbox(), tls_context=context, require_starttls=True, **options)
controller.start()
print("ready", flush=True)
asyncio.new_event_loop().run_forever()
