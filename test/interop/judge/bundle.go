package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"time"

	"dapr-mtls.dev/judge/lines"
)

type bundleRequest struct {
	lines.Head
	TrustDomain string `json:"trustDomain"`
	// Namespace is Sentry's own; "default" if left out.
	Namespace   string `json:"namespace"`
	TTLSeconds  int    `json:"ttlSeconds"`
	SkewSeconds int    `json:"skewSeconds"`
	// KeyType as in leafRequest; Sentry itself changed from "ecdsa-p256" to
	// "ed25519" with 1.18.
	KeyType string    `json:"keyType"`
	At      time.Time `json:"at"`
}

type bundleAnswer struct {
	lines.Verdict
	CA     string `json:"ca,omitempty"`
	Issuer string `json:"issuer,omitempty"`
	Key    string `json:"key,omitempty"`
	// RootKey is what Sentry throws away. A test that renews a root on its key
	// has to know it.
	RootKey string `json:"rootKey,omitempty"`
}

// bundle makes a root and an issuer as Sentry does when it finds none.
func bundle(request bundleRequest) (answer bundleAnswer, err error) {
	namespace := request.Namespace
	if namespace == "" {
		namespace = "default"
	}
	sentryID := spiffeScheme + request.TrustDomain + "/ns/" + namespace + "/dapr-sentry"
	if err := checkSpiffeID(sentryID); err != nil {
		return answer, err
	}
	rootKey, err := generateKey(request.KeyType)
	if err != nil {
		return answer, err
	}
	issuerKey, err := generateKey(request.KeyType)
	if err != nil {
		return answer, err
	}
	rootTemplate, err := authorityTemplate(request, request.TrustDomain, x509.KeyUsageCertSign)
	if err != nil {
		return answer, err
	}
	root, err := sign(rootTemplate, rootTemplate, rootKey.Public(), rootKey)
	if err != nil {
		return answer, fmt.Errorf("sign the root: %w", err)
	}
	issuerTemplate, err := authorityTemplate(request, sentryID, x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
	if err != nil {
		return answer, err
	}
	// Signed with the root's template as the parent, as Sentry does it: the
	// template knows no key id, so Sentry's issuers carry no AKI.
	issuer, err := sign(issuerTemplate, rootTemplate, issuerKey.Public(), rootKey)
	if err != nil {
		return answer, fmt.Errorf("sign the issuer: %w", err)
	}
	answer.Key, err = encodeKey(issuerKey)
	if err != nil {
		return answer, err
	}
	answer.RootKey, err = encodeKey(rootKey)
	if err != nil {
		return answer, err
	}
	answer.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
	answer.Issuer = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Raw}))
	return answer, nil
}

func authorityTemplate(request bundleRequest, organization string, usage x509.KeyUsage) (*x509.Certificate, error) {
	ttl := time.Duration(request.TTLSeconds) * time.Second
	if ttl == 0 {
		ttl = 365 * 24 * time.Hour
	}
	template, err := baseTemplate(request.At, ttl, time.Duration(request.SkewSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	template.Subject = pkix.Name{Organization: []string{organization}}
	template.KeyUsage |= usage
	template.IsCA = true
	template.BasicConstraintsValid = true
	return template, nil
}
