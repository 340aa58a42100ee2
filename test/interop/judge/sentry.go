package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"dapr-mtls.dev/judge/lines"
)

type sentryRequest struct {
	lines.Head
	// The three files' bytes; null or left out means that the file (or the
	// Secret's key) is not there.
	CA     []byte `json:"ca"`
	Issuer []byte `json:"issuer"`
	Key    []byte `json:"key"`
	// ConfigMapCA is the ConfigMap's ca.crt; left out for a directory.
	ConfigMapCA []byte    `json:"configMapCa"`
	At          time.Time `json:"at"`
}

type sentryAnswer struct {
	lines.Verdict
	// Regenerates is true when Sentry would start, but on a new root of its own.
	Regenerates bool `json:"regenerates,omitempty"`
	// Anchors and Chain count the certificates that it would work with.
	Anchors int `json:"anchors,omitempty"`
	Chain   int `json:"chain,omitempty"`
}

// sentry tells whether Sentry would start on the three files and keep them. The
// error is what it logs after "failed to verify CA bundle: ".
func sentry(request sentryRequest) (answer sentryAnswer, err error) {
	if request.CA == nil || request.Issuer == nil || request.Key == nil {
		answer.Regenerates = true
		return answer, errors.New("a part is missing: Sentry makes a new root and issuer")
	}
	if request.ConfigMapCA != nil && !bytes.Equal(request.ConfigMapCA, request.CA) {
		answer.Regenerates = true
		return answer, errors.New("ca.crt differs between Secret and ConfigMap: Sentry makes a new root and issuer")
	}
	loaded, err := loadBundle(request.CA, request.Issuer, request.Key, request.At)
	if err != nil {
		return answer, err
	}
	answer.Anchors, answer.Chain = len(loaded.anchors), len(loaded.chain)

	// Once it has its bundle, Sentry signs its own identity first.
	_, err = signLeaf(loaded.chain[0], loaded.key, loaded.key.Public(), leafTemplate{
		id: "spiffe://cluster.local/ns/default/dapr-sentry", ttl: time.Hour, at: request.At,
	})
	if err != nil {
		return answer, fmt.Errorf("failed to retrieve the initial identity: %w", err)
	}
	return answer, nil
}

type sentryBundle struct {
	anchors, chain []*x509.Certificate
	key            crypto.Signer
}

// loadBundle follows verifyX509Bundle in Dapr's pkg/sentry/server/ca, check by
// check and in its order.
func loadBundle(ca, issuer, key []byte, at time.Time) (*sentryBundle, error) {
	anchors, err := decodeCertificates(ca)
	if err != nil {
		return nil, fmt.Errorf("failed to decode trust anchors: %w", err)
	}
	for _, anchor := range anchors {
		if err := anchor.CheckSignatureFrom(anchor); err != nil {
			return nil, fmt.Errorf("certificate in trust anchor is not self-signed: %w", err)
		}
	}
	chain, err := decodeChain(issuer)
	if err != nil {
		return nil, err
	}
	if last := len(chain) - 1; last > 0 && selfSigned(chain[last]) {
		chain = chain[:last]
	}
	// Sentry joins these with "and", so one of the three is enough for it. That
	// is how an issuer with CA:FALSE starts and no sidecar takes its leaves.
	if head := chain[0]; !head.IsCA && !head.BasicConstraintsValid && head.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, errors.New("intermediate certificate is not valid for signing")
	}
	if encodeChain(chain) == "" {
		return nil, errors.New("issuer chain is empty after re-encoding")
	}
	signer, err := decodeKey(key)
	if err != nil {
		return nil, err
	}
	if !samePublicKey(signer.Public(), chain[0].PublicKey) {
		return nil, errors.New("issuer key does not match issuer certificate")
	}
	// No key usages asked for: crypto/x509 then wants serverAuth, of the issuer
	// itself and, where they list any, of those above it.
	_, err = chain[0].Verify(x509.VerifyOptions{
		Roots:         pool(anchors),
		Intermediates: pool(chain[1:]),
		CurrentTime:   at,
	})
	if err != nil {
		return nil, fmt.Errorf("issuer chain does not belong to trust anchors: %w", err)
	}
	return &sentryBundle{anchors: anchors, chain: chain, key: signer}, nil
}

func samePublicKey(a, b crypto.PublicKey) bool {
	known, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && known.Equal(b)
}
