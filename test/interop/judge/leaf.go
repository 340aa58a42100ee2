package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"dapr-mtls.dev/judge/lines"
)

type leafRequest struct {
	lines.Head
	IssuerChain string `json:"issuerChain"`
	IssuerKey   string `json:"issuerKey"`
	SpiffeID    string `json:"id_spiffe"`
	TTLSeconds  int    `json:"ttlSeconds"`
	SkewSeconds int    `json:"skewSeconds"`
	// DNSNames are what Sentry adds for the injector, operator and scheduler.
	DNSNames []string `json:"dnsNames"`
	// KeyType is that of the sidecar: "ed25519" (the default, as in 1.18),
	// "ecdsa-p256" (up to 1.17) or "rsa-2048".
	KeyType string    `json:"keyType"`
	At      time.Time `json:"at"`
}

type leafAnswer struct {
	lines.Verdict
	Chain string `json:"chain,omitempty"`
	Key   string `json:"key,omitempty"`
}

// leaf signs a workload's certificate as Sentry does.
func leaf(request leafRequest) (answer leafAnswer, err error) {
	if err := checkSpiffeID(request.SpiffeID); err != nil {
		return answer, fmt.Errorf("id_spiffe: %w", err)
	}
	chain, err := decodeChain([]byte(request.IssuerChain))
	if err != nil {
		return answer, fmt.Errorf("issuerChain: %w", err)
	}
	issuerKey, err := decodeKey([]byte(request.IssuerKey))
	if err != nil {
		return answer, fmt.Errorf("issuerKey: %w", err)
	}
	workloadKey, err := generateKey(request.KeyType)
	if err != nil {
		return answer, err
	}
	certificate, err := signLeaf(chain[0], issuerKey, workloadKey.Public(), leafTemplate{
		id:       request.SpiffeID,
		dnsNames: request.DNSNames,
		ttl:      time.Duration(request.TTLSeconds) * time.Second,
		skew:     time.Duration(request.SkewSeconds) * time.Second,
		at:       request.At,
	})
	if err != nil {
		return answer, err
	}
	keyText, err := encodeKey(workloadKey)
	if err != nil {
		return answer, err
	}
	answer.Chain = encodeChain(append([]*x509.Certificate{certificate}, chain...))
	answer.Key = keyText
	return answer, nil
}

type leafTemplate struct {
	id        string
	dnsNames  []string
	ttl, skew time.Duration
	at        time.Time
}

// signLeaf makes the certificate that GenerateWorkloadCert and SignIdentity
// make: no subject (so the SAN is critical), no basic constraints. Nothing
// holds the lifetime within the issuer's.
func signLeaf(issuer *x509.Certificate, issuerKey crypto.Signer, public crypto.PublicKey, leaf leafTemplate) (*x509.Certificate, error) {
	uri, err := url.Parse(leaf.id)
	if err != nil {
		return nil, fmt.Errorf("read the SPIFFE ID: %w", err)
	}
	template, err := baseTemplate(leaf.at, leaf.ttl, leaf.skew)
	if err != nil {
		return nil, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.URIs = []*url.URL{uri}
	template.DNSNames = leaf.dnsNames
	return sign(template, issuer, public, issuerKey)
}

// baseTemplate is what Sentry's certificates of every kind start from.
func baseTemplate(at time.Time, ttl, skew time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, fmt.Errorf("generate a serial number: %w", err)
	}
	if at.IsZero() {
		at = time.Now()
	}
	return &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    at.UTC().Add(-skew),
		NotAfter:     at.UTC().Add(ttl),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func generateKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "", "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "ecdsa-p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa-2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	default:
		return nil, lines.Unjudged("bad request: keyType %q is none of ed25519, ecdsa-p256, rsa-2048", kind)
	}
}

func encodeKey(key crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encode the private key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
