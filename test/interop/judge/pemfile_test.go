package main

import (
	"strings"
	"testing"
)

func TestPEM(t *testing.T) {
	root := forge(t, "root", nil, nil)
	other := forge(t, "other", nil, nil)
	crl := pemText("X509 CRL", []byte{5, 0})
	cut := root.pem[:len(root.pem)/2] + "\n"
	tests := map[string]struct {
		text         string
		blocks, kept int
		rest         int
	}{
		"two":                      {root.pem + other.pem, 2, 2, 0},
		"text around":              {"# first\n" + root.pem + "second\n" + other.pem + "end\n", 2, 2, 4},
		"CRLF":                     {strings.ReplaceAll(root.pem+other.pem, "\n", "\r\n"), 2, 2, 0},
		"another block between":    {root.pem + crl + other.pem, 3, 1, 0},
		"a cut block between":      {root.pem + cut + other.pem, 2, 2, 0},
		"joined without a newline": {strings.TrimSuffix(root.pem, "\n") + other.pem, 0, 0, len(root.pem) - 1 + len(other.pem)},
		"a headers block":          {"-----BEGIN CERTIFICATE-----\nA: b\n\n" + strings.SplitN(root.pem, "\n", 2)[1], 1, 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, "pem", fields{"text": []byte(test.text)})
			equal(t, len(answer["blocks"].([]any)), test.blocks)
			equal(t, answer["sentryCertificates"], test.kept)
			equal(t, answer["rest"], test.rest)
			equal(t, answer["ok"], test.kept > 0)
		})
	}

	first := accepted(t, ask(t, "pem", fields{"text": []byte(root.pem)}))["blocks"].([]any)[0]
	equal(t, first, fields{"type": "CERTIFICATE", "sha256": sha256Hex(root.certificate.Raw), "headers": false})
}

func TestPEMRefuses(t *testing.T) {
	root := forge(t, "root", nil, nil)
	refused(t, ask(t, "pem", fields{"text": []byte{}}), "no certificates found")
	refused(t, ask(t, "pem", fields{"text": []byte(root.keyPEM + root.pem)}), "no certificates found")
	bad := pemText("CERTIFICATE", []byte("not DER"))
	refused(t, ask(t, "pem", fields{"text": []byte(root.pem + bad)}), "x509: malformed certificate")
}
