"""Names of headers, query parameters, cookies and members that are nobody's inputs: they change what is asked, by whom,
or where to.

A gateway in front of a device may read them before the device does, so that the request that was approved is not the
one that is carried out (`X-HTTP-Method-Override`), not for the one who asked (`Impersonate-User`), or not where it was
sent to (`X-Original-URL`). Some servers take `_` for `-`, others `.` and `[` for `_`: all are one here. Here lives
the table with its reasons, never where it is asked: at compile time (`compiler.passes.reserved`), of every document
(`program_parts`), and of every request on the wire (`runtime.driver.wire`). RFC 9110, 7239; W3C Trace Context;
Kubernetes, "User impersonation".
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Place = Literal["header", "query", "cookie", "body"]

_METHOD = "it asks for another method than the approved one"
_ADDRESS = "it asks for another address than the approved one"
_SENDER = "it says who sent the request, or from where"
_PERSON = "it says in whose name the request is made"
CREDENTIAL = "credentials are the target's, and only the driver shows them"
_FRAMING = "it says how the message is framed, or what this connection does"
_TRACE = "it ties the request to somebody's trace, and whoever reads the trace believes it"


@dataclass(frozen=True, slots=True)
class _Kind:
    """Names of one reason, in lower case with `-`; a `*` at one end stands for whatever else stands there."""

    why: str
    places: tuple[Place, ...]
    names: str


_TABLE = (
    _Kind(_METHOD, ("header", "query", "body"), "x-http-method-override x-http-method x-method-override"),
    _Kind(_METHOD, ("query", "body"), "-method -http-method -httpmethod http-method-override"),
    _Kind(
        _ADDRESS,
        ("header",),
        "host x-host x-original-host x-original-url x-original-uri x-rewrite-url x-rewrite-uri x-url-scheme "
        "x-http-destinationurl x-http-path-override x-accel-redirect x-sendfile x-proxy-url x-override-url "
        "x-backend-host x-envoy-* x-arr-*",
    ),
    _Kind(
        _SENDER,
        ("header",),
        "forwarded x-forwarded x-forwarded-* x-forwarder-for forwarded-for forwarded-proto via x-real-ip x-client-ip "
        "client-ip true-client-ip cf-connecting-ip cf-connecting-ipv6 fastly-client-ip x-azure-clientip "
        "x-azure-socketip x-cluster-client-ip x-originating-ip x-remote-ip x-remote-addr x-remote-host "
        "x-proxyuser-ip x-true-ip x-custom-ip-authorization wl-proxy-* proxy-client-ip front-end-https origin referer",
    ),
    _Kind(
        _PERSON,
        ("header",),
        "remote-user remote-groups x-remote-user x-remote-group x-remote-extra-* x-authenticated-user "
        "x-authenticated-userid x-auth-request-* x-auth-user x-webauth-user x-webauth-* x-user-id-override "
        "impersonate-user impersonate-group impersonate-uid impersonate-extra-* sudo x-sudo x-impersonate-user "
        "x-act-as x-on-behalf-of x-ssl-* ssl-client-* x-client-cert x-client-verify x-client-dn client-cert "
        "client-cert-chain x-goog-iap-* x-goog-authenticated-user-* x-amzn-oidc-* x-ms-client-principal* "
        "x-ms-token-* x-consumer-* x-credential-identifier x-anonymous-consumer x-jwt-assertion",
    ),
    _Kind(_PERSON, ("query",), "sudo impersonate impersonate-user doas run-as"),
    _Kind(
        CREDENTIAL,
        ("header",),
        "authorization proxy-authorization www-authenticate proxy-authenticate authentication-info "
        "cookie cookie2 set-cookie x-auth-token x-subject-token x-service-token x-api-key api-key apikey "
        "x-access-token access-token x-session-token x-session-id x-vault-token private-token job-token deploy-token "
        "x-csrf-token x-csrftoken x-xsrf-token api-token oauth-token authentication-token "
        "*-api-key *-apikey *-api-token *-api-secret *-auth-token *-auth-key *-auth-secret *-access-token *-access-key "
        "*-session-token *-subscription-key app-key *-app-key *-appkey *-app-token *-apptoken *-usertoken *-devtoken "
        "*-api-id *-key-id x-amz-signature x-amz-credential x-amz-security-token x-amz-signedheaders x-amz-algorithm "
        "x-amz-date x-amz-content-sha256",
    ),
    _Kind(
        CREDENTIAL,
        ("query",),
        "access-token api-key apikey x-api-key auth-token oauth-token private-token job-token session-token sessionid "
        "jsessionid phpsessid x-amz-signature x-amz-credential x-amz-security-token",
    ),
    _Kind(
        CREDENTIAL,
        ("cookie",),
        "session sessionid session-id sessionkey sessiontoken sid connect.sid jsessionid phpsessid "
        "asp.net-sessionid aspsessionid* sess* auth auth-token authtoken authorization access-token refresh-token "
        "id-token token jwt csrftoken csrf-token csrf xsrf-token --host-* --secure-* remember-me remember-token "
        "switchgear*",
    ),
    _Kind(
        _FRAMING,
        ("header",),
        "content-length transfer-encoding connection keep-alive proxy-connection te trailer upgrade expect "
        "http2-settings max-forwards content-encoding accept-encoding early-data sec-* proxy-*",
    ),
    _Kind(
        _TRACE,
        ("header",),
        "traceparent tracestate baggage b3 x-b3-* uber-trace-id uberctx-* x-amzn-trace-id x-cloud-trace-context "
        "x-datadog-* sentry-trace x-ot-span-context ot-tracer-* grpc-trace-bin newrelic elastic-apm-traceparent",
    ),
)
_ALIKE = str.maketrans("_.[ ", "----")
REASONS = tuple((place, name, kind.why) for kind in _TABLE for place in kind.places for name in kind.names.split())
"""Where, which name (or `begin*`, `*end`), and why it is nobody's input."""
_WHOLE: dict[tuple[str, str], str] = {
    (place, name.translate(_ALIKE)): why for place, name, why in REASONS if "*" not in name
}
_BEGINNINGS = tuple((place, name[:-1].translate(_ALIKE), why) for place, name, why in REASONS if name.endswith("*"))
_ENDINGS = tuple((place, name[1:].translate(_ALIKE), why) for place, name, why in REASONS if name.startswith("*"))


@lru_cache(maxsize=4096)
def why_reserved(place: str, name: str) -> str:
    """Why no caller may give what has this name at this place; empty where one may."""
    plain = name.strip().lower().translate(_ALIKE)
    found = _WHOLE.get((place, plain))
    found = found or next((why for at, begin, why in _BEGINNINGS if at == place and plain.startswith(begin)), "")
    return found or next((why for at, end, why in _ENDINGS if at == place and plain.endswith(end)), "")
