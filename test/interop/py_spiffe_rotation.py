"""X.509 and JWT sources of py-spiffe through a rotation. Prints one line per observation; the last is `done`."""
import sys
import time

from spiffe import JwtSource, WorkloadApiClient, X509Source

socket, expected = sys.argv[1], sys.argv[2]

with X509Source(socket_path=socket, timeout_in_seconds=10) as source:
    first = source.svid
    assert str(first.spiffe_id) == expected, first.spiffe_id
    assert source.get_bundle_for_trust_domain(first.spiffe_id.trust_domain) is not None
    print("x509 svid", first.leaf.serial_number)
    end = time.time() + 40
    while source.svid.leaf.serial_number == first.leaf.serial_number:
        assert time.time() < end, "no rotation within 40 s"
        time.sleep(0.2)
    print("x509 rotated", source.svid.leaf.serial_number)

with JwtSource(socket_path=socket, timeout_in_seconds=10) as source:
    token = source.fetch_svid(audience={"spiffe://example.org/api"})
    assert str(token.spiffe_id) == expected, token.spiffe_id
    print("jwt svid", token.spiffe_id)

with WorkloadApiClient(socket_path=socket) as client:
    valid = client.validate_jwt_svid(token.token, "spiffe://example.org/api")
    assert str(valid.spiffe_id) == expected
    try:
        client.validate_jwt_svid(token.token, "somebody-else")
    except Exception as error:
        print("jwt refused", type(error).__name__)
    else:
        raise AssertionError("a token for another audience was accepted")

print("done")
