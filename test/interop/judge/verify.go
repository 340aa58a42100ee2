package main

import (
	"crypto/x509"
	"fmt"
	"time"

	"dapr-mtls.dev/judge/lines"
)

type verifyRequest struct {
	lines.Head
	// Chain is PEM, the certificate to judge first. It may be a CA's.
	Chain string `json:"chain"`
	// Anchors is PEM: the roots, and the only ones.
	Anchors string `json:"anchors"`
	// Usages are "server" and "client": the chain must pass for each alone.
	// None means that extended key usages are not looked at.
	Usages []string `json:"usages"`
	// At is the moment to judge for; now if it is not given.
	At time.Time `json:"at"`
}

var usages = map[string]x509.ExtKeyUsage{
	"any":    x509.ExtKeyUsageAny,
	"client": x509.ExtKeyUsageClientAuth,
	"server": x509.ExtKeyUsageServerAuth,
}

// verify asks crypto/x509 whether the chain leads to an anchor.
func verify(request verifyRequest) (verdict lines.Verdict, err error) {
	names := request.Usages
	if len(names) == 0 {
		names = []string{"any"}
	}
	for _, name := range names {
		if _, known := usages[name]; !known {
			return verdict, lines.Unjudged("bad request: usage %q is neither server nor client", name)
		}
	}
	chain, err := decodeCertificates([]byte(request.Chain))
	if err != nil {
		return verdict, fmt.Errorf("chain: %w", err)
	}
	anchors, err := decodeCertificates([]byte(request.Anchors))
	if err != nil {
		return verdict, fmt.Errorf("anchors: %w", err)
	}
	for _, name := range names {
		_, err := chain[0].Verify(x509.VerifyOptions{
			Roots:         pool(anchors),
			Intermediates: pool(chain[1:]),
			KeyUsages:     []x509.ExtKeyUsage{usages[name]},
			CurrentTime:   request.At,
		})
		if err != nil {
			return verdict, fmt.Errorf("%s: %w", name, err)
		}
	}
	return verdict, nil
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool
}
