package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/url"
	"time"
)

// lifetime is what the Configuration says: workloadCertTTL, allowedClockSkew.
type lifetime struct {
	ttl, skew time.Duration
}

// signLeaf makes a workload's certificate as Sentry does: no subject, so the
// SAN is critical, no basic constraints, and a life that nothing holds within
// the issuer's. The chain that goes with it is the issuer's.
func (b *bundle) signLeaf(id *url.URL, public crypto.PublicKey, life lifetime) ([]*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.Add(-life.skew),
		NotAfter:     now.Add(life.ttl),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:         []*url.URL{id},
	}, b.chain[0], public, b.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return append([]*x509.Certificate{leaf}, b.chain...), nil
}

// spiffeID is the name of an application in the mesh.
func spiffeID(trustDomain, namespace, app string) *url.URL {
	return &url.URL{Scheme: "spiffe", Host: trustDomain, Path: "/ns/" + namespace + "/" + app}
}
