package main

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// bundle is what a Sentry signs with.
type bundle struct {
	anchors []*x509.Certificate
	// chain is the issuer first, without the root.
	chain []*x509.Certificate
	key   crypto.Signer
}

// readBundle reads and judges the three files as a starting Sentry does: any
// error ends its process. Where a file is missing Sentry makes all three anew;
// that is the accident itself, and this one would rather die.
func readBundle(folder string) (*bundle, error) {
	var files [3][]byte
	for i, name := range []string{"ca.crt", "issuer.crt", "issuer.key"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		files[i] = content
	}
	return judgeBundle(files[0], files[1], files[2])
}

// judgeBundle follows verifyX509Bundle in Dapr's pkg/sentry/server/ca.
func judgeBundle(ca, issuer, key []byte) (*bundle, error) {
	anchors, err := decodeCertificates(ca)
	if err != nil {
		return nil, fmt.Errorf("failed to decode trust anchors: %w", err)
	}
	for _, anchor := range anchors {
		if !selfSigned(anchor) {
			return nil, errors.New("certificate in trust anchor is not self-signed")
		}
	}
	chain, err := decodeCertificates(issuer)
	if err != nil {
		return nil, fmt.Errorf("failed to decode the issuer chain: %w", err)
	}
	for i, certificate := range chain[1:] {
		if chain[i].CheckSignatureFrom(certificate) != nil {
			return nil, errors.New("certificate chain is not valid")
		}
	}
	if last := len(chain) - 1; last > 0 && selfSigned(chain[last]) {
		chain = chain[:last]
	}
	if selfSigned(chain[0]) {
		return nil, errors.New("the issuer is a root")
	}
	signer, err := decodeKey(key)
	if err != nil {
		return nil, fmt.Errorf("failed to decode the issuer key: %w", err)
	}
	if !samePublicKey(signer.Public(), chain[0].PublicKey) {
		return nil, errors.New("issuer key does not match issuer certificate")
	}
	// No key usage asked for: crypto/x509 then wants serverAuth.
	_, err = chain[0].Verify(x509.VerifyOptions{Roots: pool(anchors), Intermediates: pool(chain[1:])})
	if err != nil {
		return nil, fmt.Errorf("issuer chain does not belong to trust anchors: %w", err)
	}
	return &bundle{anchors: anchors, chain: chain, key: signer}, nil
}

func selfSigned(certificate *x509.Certificate) bool {
	return certificate.CheckSignatureFrom(certificate) == nil
}

func samePublicKey(a, b crypto.PublicKey) bool {
	known, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && known.Equal(b)
}

func fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return hex.EncodeToString(sum[:])
}

func fingerprints(certificates []*x509.Certificate) []string {
	var all []string
	for _, certificate := range certificates {
		all = append(all, fingerprint(certificate))
	}
	return all
}
