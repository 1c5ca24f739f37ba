// X.509 and JWT sources of java-spiffe with a federated trust domain, and its TLS. The last line printed is "done".
import io.spiffe.provider.SpiffeSslContextFactory;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.svid.jwtsvid.JwtSvid;
import io.spiffe.workloadapi.DefaultJwtSource;
import io.spiffe.workloadapi.DefaultX509Source;
import io.spiffe.workloadapi.JwtSourceOptions;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

public final class Workload {
    public static void main(String[] args) throws Exception {
        String socket = args[0];
        SpiffeId id = SpiffeId.parse(args[1]);
        TrustDomain other = TrustDomain.parse(args[2]);
        String token = args[3];
        var options = DefaultX509Source.X509SourceOptions.builder().spiffeSocketPath(socket).build();
        try (var source = DefaultX509Source.newSource(options)) {
            var first = source.getX509Svid();
            require("the identity of the entry", first.getSpiffeId().equals(id));
            var federated = source.getBundleForTrustDomain(other).getX509Authorities();
            require("a federated root", federated.size() == 1);
            var serial = first.getLeaf().getSerialNumber();
            until("rotated", () -> !source.getX509Svid().getLeaf().getSerialNumber().equals(serial));

            var jwtOptions = JwtSourceOptions.builder().spiffeSocketPath(socket).build();
            try (var jwt = DefaultJwtSource.newSource(jwtOptions)) {
                JwtSvid own = jwt.fetchJwtSvid("api");
                require("a token of the identity", own.getSpiffeId().equals(id));
                JwtSvid.parseAndValidate(own.marshal(), jwt, Set.of("api"));
                refused("another audience", () -> JwtSvid.parseAndValidate(own.marshal(), jwt, Set.of("web")));
                JwtSvid theirs = JwtSvid.parseAndValidate(token, jwt, Set.of(id.toString()));
                require("a federated token", theirs.getSpiffeId().getTrustDomain().equals(other));
            }

            Set<SpiffeId> peer = Set.of(SpiffeId.fromSegments(other, "web"));
            var tls = SpiffeSslContextFactory.SslContextOptions.builder().x509Source(source);
            SSLContext strict = SpiffeSslContextFactory.getSslContext(tls.acceptedSpiffeIdsSupplier(() -> peer).build());
            var lax = SpiffeSslContextFactory.SslContextOptions.builder().x509Source(source).acceptAnySpiffeId();
            SSLContext any = SpiffeSslContextFactory.getSslContext(lax.build());
            shake(strict, args[4]);
            refused("a certificate of a stranger", () -> shake(strict, args[5]));
            refused("our name by another authority", () -> shake(any, args[6]));

            System.out.println("ready");
            until("replaced", () -> !source.getBundleForTrustDomain(other).getX509Authorities().equals(federated));
        }
        System.out.println("done");
        System.exit(0);
    }

    private static Void shake(SSLContext context, String address) throws IOException {
        String[] parts = address.split(":");
        try (var socket = (SSLSocket) context.getSocketFactory().createSocket(parts[0], Integer.parseInt(parts[1]))) {
            socket.startHandshake();
        }
        return null;
    }

    private static void refused(String what, Callable<?> attempt) throws Exception {
        try {
            attempt.call();
        } catch (SSLException | io.spiffe.exception.JwtSvidException expected) {
            return;
        }
        throw new IllegalStateException("not refused: " + what);
    }

    private static void require(String what, boolean holds) {
        if (!holds) throw new IllegalStateException("expected: " + what);
    }

    private static void until(String what, Callable<Boolean> holds) throws Exception {
        for (int tries = 0; tries < 400; tries++) {
            if (holds.call()) {
                System.out.println(what);
                return;
            }
            Thread.sleep(100);
        }
        throw new IllegalStateException("not within 40 s: " + what);
    }
}
