"""X.509 and JWT sources of py-spiffe with a federated trust domain. The last line printed is `done`."""
import sys
import time

from cryptography.hazmat.primitives.serialization import Encoding
from spiffe import JwtSource, JwtSvid, SpiffeId, TrustDomain, WorkloadApiClient, X509Source

socket, own_id, domain, token = sys.argv[1:5]
other = TrustDomain(domain)


def until(what, holds):
    end = time.time() + 40
    while not holds():
        assert time.time() < end, f"not within 40 s: {what}"
        time.sleep(0.1)
    print(what, flush=True)


def refused(what, attempt):
    try:
        attempt()
    except Exception as error:
        print("refused", what, type(error).__name__)
    else:
        raise AssertionError(f"not refused: {what}")


with X509Source(socket_path=socket, timeout_in_seconds=10) as source, JwtSource(
    socket_path=socket, timeout_in_seconds=10
) as jwt, WorkloadApiClient(socket_path=socket) as client:

    def roots():
        bundle = source.get_bundle_for_trust_domain(other)
        return {root.public_bytes(Encoding.DER) for root in bundle.x509_authorities}

    first = source.svid
    assert str(first.spiffe_id) == own_id, first.spiffe_id
    federated = roots()
    assert len(federated) == 1
    until("rotated", lambda: source.svid.leaf.serial_number != first.leaf.serial_number)
    context = client.fetch_x509_context()
    assert {str(each.spiffe_id) for each in context.x509_svids} == {own_id}
    assert context.x509_bundle_set.get_bundle_for_trust_domain(other) is not None
    assert client.fetch_x509_bundles().get_bundle_for_trust_domain(other) is not None

    mine = jwt.fetch_svid(audience={"api"}, subject=SpiffeId(own_id))
    keys = jwt.get_bundle_for_trust_domain(mine.spiffe_id.trust_domain)
    JwtSvid.parse_and_validate(mine.token, keys, {"api"})
    refused("another audience", lambda: JwtSvid.parse_and_validate(mine.token, keys, {"web"}))
    theirs = JwtSvid.parse_and_validate(token, jwt.get_bundle_for_trust_domain(other), {own_id})
    assert theirs.spiffe_id.trust_domain == other
    bundles = client.fetch_jwt_bundles()
    assert bundles.get_bundle_for_trust_domain(other).jwt_authorities.keys(), "federated keys"
    assert client.validate_jwt_svid(token, own_id).spiffe_id == theirs.spiffe_id
    refused("another audience, by the agent", lambda: client.validate_jwt_svid(token, "web"))

    print("ready", flush=True)
    until("replaced", lambda: roots() != federated)
print("done")
