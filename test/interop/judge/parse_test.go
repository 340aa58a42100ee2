package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"testing"
)

func TestParse(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, func(c *x509.Certificate) {
		c.MaxPathLen, c.MaxPathLenZero = 0, true
		c.DNSNames = []string{"cluster.local"}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}}
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	})
	answer := accepted(t, ask(t, "parse", fields{"der": issuer.certificate.Raw}))
	got := answer["certificate"].(fields)
	want := fields{
		"rawSubject":            hex.EncodeToString(issuer.certificate.RawSubject),
		"rawIssuer":             hex.EncodeToString(root.certificate.RawSubject),
		"ski":                   hex.EncodeToString(issuer.certificate.SubjectKeyId),
		"aki":                   hex.EncodeToString(root.certificate.SubjectKeyId),
		"serial":                issuer.certificate.SerialNumber.Text(16),
		"notBefore":             "2031-05-01T11:00:00Z",
		"notAfter":              "2031-05-02T12:00:00Z",
		"isCA":                  true,
		"basicConstraintsValid": true,
		"maxPathLen":            0,
		"keyUsage":              []string{"digitalSignature", "keyCertSign"},
		"extKeyUsage":           []string{"serverAuth", "1.2.3"},
		"dnsNames":              []string{"cluster.local"},
		"uris":                  []string{},
		"publicKeyAlgorithm":    "ECDSA",
		"signatureAlgorithm":    "ECDSA-SHA256",
		"spkiSha256":            sha256Hex(issuer.certificate.RawSubjectPublicKeyInfo),
		"unhandledCritical":     []string{"1.2.3.4"},
	}
	for name, value := range want {
		t.Run(name, func(t *testing.T) { equal(t, got[name], value) })
	}

	without := accepted(t, ask(t, "parse", fields{"der": root.certificate.Raw}))["certificate"].(fields)
	equal(t, without["maxPathLen"], -1)
}

func TestParseRefuses(t *testing.T) {
	root := forge(t, "root", nil, nil)
	refused(t, ask(t, "parse", fields{"der": append(root.certificate.Raw, 0)}), "x509: trailing data")
	refused(t, ask(t, "parse", fields{"der": root.certificate.Raw[1:]}), "x509: malformed")
	refused(t, ask(t, "parse", fields{"der": []byte{}}), "x509: malformed certificate")
}
