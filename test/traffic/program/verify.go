package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
)

// distrust is a refusal of the other side's certificate: a lost call that only
// a wrong trust explains.
type distrust struct{ error }

func (d distrust) Unwrap() error { return d.error }

// verifier judges the other side as go-spiffe does: against these anchors and
// no others, for any extended key usage, by its SPIFFE ID (nil takes any) and
// by no host name.
func verifier(anchors *x509.CertPool, expected *url.URL) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		chain := state.PeerCertificates
		if len(chain) == 0 {
			return distrust{errors.New("no certificate was shown")}
		}
		leaf := chain[0]
		switch {
		case len(leaf.URIs) != 1:
			return distrust{fmt.Errorf("%d URI SANs", len(leaf.URIs))}
		case leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
			return distrust{errors.New("the leaf could sign others")}
		}
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots:         anchors,
			Intermediates: pool(chain[1:]),
			KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err != nil {
			return distrust{err}
		}
		if id := leaf.URIs[0].String(); expected != nil && id != expected.String() {
			return distrust{fmt.Errorf("unexpected ID %q", id)}
		}
		return nil
	}
}

// tlsConfig is go-spiffe's: crypto/tls verifies nothing itself, verify does,
// and each connection is a handshake in full.
func tlsConfig(verify func(tls.ConnectionState) error) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       []tls.CurveID{tls.X25519},
		InsecureSkipVerify:     true,
		VerifyConnection:       verify,
		SessionTicketsDisabled: true,
	}
}
