module steeple.test/peers/spire

go 1.26.6

require github.com/spiffe/spire v1.15.3

// One plugin's module is not to be had everywhere, and nothing here uses that plugin.
replace github.com/Keyfactor/ejbca-go-client-sdk => ./ejbca
