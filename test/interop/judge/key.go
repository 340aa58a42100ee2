package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"dapr-mtls.dev/judge/lines"
)

type keyRequest struct {
	lines.Head
	PEM []byte `json:"pem"`
}

type keyAnswer struct {
	lines.Verdict
	// Type is as in "ECDSA P-256", "RSA 2048", "Ed25519".
	Type       string `json:"type,omitempty"`
	SPKISHA256 string `json:"spkiSha256,omitempty"`
}

// key reads a private key as Sentry does.
func key(request keyRequest) (answer keyAnswer, err error) {
	signer, err := decodeKey(request.PEM)
	if err != nil {
		return answer, err
	}
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return answer, fmt.Errorf("encode the public key: %w", err)
	}
	answer.Type = keyType(signer.Public())
	answer.SPKISHA256 = sha256Hex(spki)
	return answer, nil
}

func keyType(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + public.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", public.N.BitLen())
	case ed25519.PublicKey:
		return "Ed25519"
	default:
		return fmt.Sprintf("%T", public)
	}
}
