package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"dapr-mtls.dev/judge/lines"
)

func TestRFC5280(t *testing.T) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "root"},
		NotBefore:             time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2032, 5, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	root, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	must(t, err)
	// The template as the parent knows no key id, so this one gets no AKI.
	child := *template
	child.Subject = pkix.Name{CommonName: "issuer"}
	withoutAKI, err := x509.CreateCertificate(rand.Reader, &child, template, public, key)
	must(t, err)

	if verdict := lintOf(t, root); !verdict.OK || len(verdict.Failures) != 0 {
		t.Fatalf("refused: %+v", verdict)
	}
	verdict := lintOf(t, withoutAKI)
	if verdict.OK || len(verdict.Failures) != 1 || verdict.Failures[0].Citation != "RFC 5280: 4.2.1.1" {
		t.Fatalf("want one failure of RFC 5280: 4.2.1.1; got %+v", verdict)
	}
	if verdict := lintOf(t, root[1:]); verdict.OK || verdict.Unjudged {
		t.Fatalf("want a refusal; got %+v", verdict)
	}
}

func lintOf(t *testing.T, der []byte) (verdict answer) {
	t.Helper()
	judge, err := rfc5280()
	must(t, err)
	line, err := json.Marshal(map[string]any{"id": 1, "der": der})
	must(t, err)
	var out bytes.Buffer
	must(t, lines.Serve(bytes.NewReader(line), &out, lines.Op(judge)))
	must(t, json.Unmarshal(out.Bytes(), &verdict))
	return verdict
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
