// X.509 and JWT sources of go-spiffe with a federated trust domain, and its TLS. The last line printed is "done".
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	if err := run(ctx, os.Args[1], spiffeid.RequireFromString(os.Args[2]), os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, socket string, id spiffeid.ID, domain, token string, addresses []string) error {
	other := spiffeid.RequireTrustDomainFromString(domain)
	options := workloadapi.WithClientOptions(workloadapi.WithAddr(socket))
	source, err := workloadapi.NewX509Source(ctx, options)
	if err != nil {
		return err
	}
	defer source.Close()
	first, err := source.GetX509SVID()
	if err != nil {
		return err
	}
	if first.ID != id {
		return fmt.Errorf("the identity is %s", first.ID)
	}
	federated, err := roots(source, other)
	if err != nil {
		return err
	}
	if err := until("rotated", func() bool {
		now, err := source.GetX509SVID()
		return err == nil && now.Certificates[0].SerialNumber.Cmp(first.Certificates[0].SerialNumber) != 0
	}); err != nil {
		return err
	}
	if err := tokens(ctx, options, id, other, token); err != nil {
		return err
	}
	if err := handshakes(ctx, source, spiffeid.RequireFromPath(other, "/web"), addresses); err != nil {
		return err
	}

	fmt.Println("ready")
	if err := until("replaced", func() bool {
		now, err := roots(source, other)
		return err == nil && !now.Equal(federated)
	}); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

func roots(source x509bundle.Source, of spiffeid.TrustDomain) (*x509bundle.Bundle, error) {
	bundle, err := source.GetX509BundleForTrustDomain(of)
	if err != nil {
		return nil, err
	}
	return bundle.Clone(), nil
}

func tokens(ctx context.Context, options workloadapi.SourceOption, id spiffeid.ID, other spiffeid.TrustDomain, token string) error {
	source, err := workloadapi.NewJWTSource(ctx, options.(workloadapi.JWTSourceOption))
	if err != nil {
		return err
	}
	defer source.Close()
	own, err := source.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "api", Subject: id})
	if err != nil {
		return err
	}
	if _, err := jwtsvid.ParseAndValidate(own.Marshal(), source, []string{"api"}); err != nil {
		return err
	}
	if _, err := jwtsvid.ParseAndValidate(own.Marshal(), source, []string{"web"}); err == nil {
		return errors.New("a token for another audience is taken")
	}
	federated, err := jwtsvid.ParseAndValidate(token, source, []string{id.String()})
	if err != nil {
		return err
	}
	if federated.ID.TrustDomain() != other {
		return fmt.Errorf("the token is of %s", federated.ID)
	}
	return nil
}

// The first address is of a server that is who it says it is, the others are not.
func handshakes(ctx context.Context, source *workloadapi.X509Source, peer spiffeid.ID, addresses []string) error {
	authorizers := []tlsconfig.Authorizer{tlsconfig.AuthorizeID(peer), tlsconfig.AuthorizeID(peer), tlsconfig.AuthorizeAny()}
	for index, address := range addresses {
		mode := spiffetls.MTLSClientWithRawConfig(authorizers[index], source, source)
		conn, err := spiffetls.DialWithMode(ctx, "tcp", address, mode)
		if (err == nil) != (index == 0) {
			return fmt.Errorf("server %d: %v", index, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	transport := &http.Transport{TLSClientConfig: tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(peer))}
	response, err := (&http.Client{Transport: transport}).Get("https://" + addresses[0])
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func until(what string, holds func() bool) error {
	for range 400 {
		if holds() {
			fmt.Println(what)
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("not within 40 s: %s", what)
}
