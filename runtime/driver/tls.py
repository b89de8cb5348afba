"""How a target proves who it is: a CA that the system trusts, a CA of ours, or the fingerprint of its certificate.

With a pin the fingerprint alone decides, not the name and not the date: management controllers sign themselves and
nobody renews them. The certificate is fetched in a handshake of its own, before a byte of any request, compared, and
then made the only authority of the context that carries requests: a change between the two fails the handshake.
No HTTP here. Called by `driver` when it opens the first connection to a target, and by `diagnosis`.
"""

import asyncio
import hashlib
import hmac
import ssl
from contextlib import suppress

from runtime.driver.means import REMEDY, lack_of
from runtime.errors import NotSent, Refused, Unable

# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which the ssl module does not name.
NO_CHECK_TIME = 0x200000


async def context_for(tls: str, host: str, port: int) -> ssl.SSLContext:
    """The context for `tls`: `verify`, `ca:<file>` or `pin:<sha256>`. Raises Refused when the peer is not the one.

    Raises NotSent when the certificate to compare cannot be fetched.
    """
    kind, _, value = tls.partition(":")
    if kind == "verify":
        return ssl.create_default_context()
    if kind == "ca":
        return _trusting_file(value)
    if kind == "pin":
        return _trusting_only(await _fetch_pinned(value, host, port))
    raise Refused(f"{tls!r} is no way to check a target", "write verify, ca:<file> or pin:<sha256> on the target")


def _trusting_file(path: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise Refused(f"the CA file {path} cannot be used: {error}", "correct the target's tls setting") from error


def _trusting_only(certificate: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(NO_CHECK_TIME)
    context.load_verify_locations(cadata=certificate)
    return context


async def _fetch_pinned(pin: str, host: str, port: int) -> bytes:
    wanted = pin.replace(":", "").strip().lower()
    certificate = await fetch_certificate(host, port)
    seen = hashlib.sha256(certificate).hexdigest()
    if not hmac.compare_digest(seen, wanted):
        remedy = "somebody must look: is it a new certificate of the device? see `switchgear targets test`"
        raise Refused(f"the certificate of {host}:{port} is {seen}, not the pinned {wanted}", remedy)
    return certificate


async def fetch_certificate(host: str, port: int) -> bytes:
    """The peer's certificate (DER). Nothing but a handshake is exchanged, so an unverified context does no harm.

    Raises NotSent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    except OSError as error:
        if lack := lack_of(error):
            raise Unable(f"{host}:{port} could not be connected to: this server {lack}", REMEDY) from error
        raise NotSent(f"no TLS with {host}:{port}: {error}", "check the target's address and the network") from error
    certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with suppress(OSError):  # how the peer takes the farewell says nothing about its certificate
        await writer.wait_closed()
    return certificate
