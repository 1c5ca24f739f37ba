// Package ejbca has the names that SPIRE's plugin of that name compiles against, and nothing behind them.
package ejbca

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
)

var errAbsent = errors.New("this build has no EJBCA client")

type (
	Authenticator interface {
		GetHTTPClient() (*http.Client, error)
	}
	Configuration                     struct{ Host string }
	APIClient                         struct{ V1CertificateApi *Certificates }
	Certificates                      struct{}
	EnrollCertificateRestRequest      struct{}
	ApiEnrollPkcs10CertificateRequest struct{}
	CertificateRestResponse           struct{ CertificateChain []string }
	GenericOpenAPIError               struct{ error }
	mutualTLS                         struct{}
)

func NewMTLSAuthenticatorBuilder() mutualTLS                         { return mutualTLS{} }
func (b mutualTLS) WithClientCertificate(*tls.Certificate) mutualTLS { return b }
func (b mutualTLS) WithCaCertificates([]*x509.Certificate) mutualTLS { return b }
func (mutualTLS) Build() (Authenticator, error)                      { return nil, errAbsent }

func NewConfiguration() *Configuration                  { return new(Configuration) }
func (*Configuration) SetAuthenticator(_ Authenticator) {}
func NewAPIClient(_ *Configuration) (*APIClient, error) { return nil, errAbsent }

func NewEnrollCertificateRestRequest() *EnrollCertificateRestRequest {
	return new(EnrollCertificateRestRequest)
}
func (*EnrollCertificateRestRequest) SetUsername(_ string)                 {}
func (*EnrollCertificateRestRequest) SetPassword(_ string)                 {}
func (*EnrollCertificateRestRequest) SetCertificateRequest(_ string)       {}
func (*EnrollCertificateRestRequest) SetCertificateAuthorityName(_ string) {}
func (*EnrollCertificateRestRequest) SetCertificateProfileName(_ string)   {}
func (*EnrollCertificateRestRequest) SetEndEntityProfileName(_ string)     {}
func (*EnrollCertificateRestRequest) SetIncludeChain(_ bool)               {}
func (*EnrollCertificateRestRequest) SetAccountBindingId(_ string)         {}

func (*Certificates) EnrollPkcs10Certificate(_ context.Context) ApiEnrollPkcs10CertificateRequest {
	return ApiEnrollPkcs10CertificateRequest{}
}

func (r ApiEnrollPkcs10CertificateRequest) EnrollCertificateRestRequest(_ EnrollCertificateRestRequest) ApiEnrollPkcs10CertificateRequest {
	return r
}

func (ApiEnrollPkcs10CertificateRequest) Execute() (*CertificateRestResponse, *http.Response, error) {
	return nil, nil, errAbsent
}

func (*CertificateRestResponse) GetResponseFormat() string { return "" }
func (*CertificateRestResponse) GetCertificate() string    { return "" }
func (GenericOpenAPIError) Body() []byte                   { return nil }
