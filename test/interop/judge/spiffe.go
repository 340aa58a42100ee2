package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The rules of go-spiffe v2, which daprd and the control plane use for every
// connection, in its words.

const spiffeScheme = "spiffe://"

// checkSpiffeID follows spiffeid.FromString.
func checkSpiffeID(id string) error {
	rest, found := strings.CutPrefix(id, spiffeScheme)
	if id == "" {
		return errors.New("cannot be empty")
	}
	if !found {
		return errors.New("scheme is missing or invalid")
	}
	trustDomain, path := rest, ""
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		trustDomain, path = rest[:slash], rest[slash:]
	}
	if strings.ContainsFunc(trustDomain, func(r rune) bool { return !plain(r) || 'A' <= r && r <= 'Z' }) {
		return errors.New("trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores")
	}
	if trustDomain == "" {
		return errors.New("trust domain is missing")
	}
	return checkSpiffePath(path)
}

func checkSpiffePath(path string) error {
	if path == "" {
		return nil
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		switch {
		case strings.ContainsFunc(segment, func(r rune) bool { return !plain(r) }):
			return errors.New("path segment characters are limited to letters, numbers, dots, dashes, and underscores")
		case segment == "" && i == len(segments)-1:
			return errors.New("path cannot have a trailing slash")
		case segment == "":
			return errors.New("path cannot contain empty segments")
		case segment == "." || segment == "..":
			return errors.New("path cannot contain dot segments")
		}
	}
	return nil
}

func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._", r)
}

// spiffeIDOf follows x509svid.IDFromCert.
func spiffeIDOf(certificate *x509.Certificate) (string, error) {
	switch len(certificate.URIs) {
	case 0:
		return "", errors.New("certificate contains no URI SAN")
	case 1:
		id := certificate.URIs[0].String()
		return id, checkSpiffeID(id)
	default:
		return "", errors.New("certificate contains more than one URI SAN")
	}
}

// verifySVID follows x509svid.Verify: any extended key usage will do, but a
// leaf that could sign others will not.
func verifySVID(chain, anchors []*x509.Certificate, at time.Time) (string, error) {
	leaf := chain[0]
	id, err := spiffeIDOf(leaf)
	switch {
	case err != nil:
		return "", fmt.Errorf("x509svid: could not get leaf SPIFFE ID: %w", err)
	case leaf.IsCA:
		return id, errors.New("x509svid: leaf certificate with CA flag set to true")
	case leaf.KeyUsage&x509.KeyUsageCertSign != 0:
		return id, errors.New("x509svid: leaf certificate with KeyCertSign key usage")
	case leaf.KeyUsage&x509.KeyUsageCRLSign != 0:
		return id, errors.New("x509svid: leaf certificate with KeyCrlSign key usage")
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots:         pool(anchors),
		Intermediates: pool(chain[1:]),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		CurrentTime:   at,
	})
	if err != nil {
		return id, fmt.Errorf("x509svid: could not verify leaf certificate: %w", err)
	}
	return id, nil
}
