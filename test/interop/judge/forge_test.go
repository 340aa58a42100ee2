package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"dapr-mtls.dev/judge/lines"
)

// noon is when the tests take place, whatever the clock says.
var noon = time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)

// holder is a certificate with its key.
type holder struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem         string
	keyPEM      string
}

// forge makes a CA below the signer, or a root without one. The change may turn
// the template into anything.
func forge(t *testing.T, name string, signer *holder, change func(*x509.Certificate)) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return forgeWithKey(t, name, key, signer, change)
}

func forgeWithKey(t *testing.T, name string, key crypto.Signer, signer *holder, change func(*x509.Certificate)) *holder {
	t.Helper()
	template, err := baseTemplate(noon, 24*time.Hour, time.Hour)
	must(t, err)
	template.Subject = pkix.Name{CommonName: name}
	template.KeyUsage |= x509.KeyUsageCertSign
	template.IsCA = true
	template.BasicConstraintsValid = true
	if change != nil {
		change(template)
	}
	parent, signingKey := template, key
	if signer != nil {
		parent, signingKey = signer.certificate, signer.key
	}
	certificate, err := sign(template, parent, key.Public(), signingKey)
	must(t, err)
	keyPEM, err := encodeKey(key)
	must(t, err)
	return &holder{certificate, key, pemText("CERTIFICATE", certificate.Raw), keyPEM}
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// fields is also what encoding/json makes of an object within an answer.
type fields = map[string]any

// ask sends one request through the whole program.
func ask(t *testing.T, op string, request fields) fields {
	t.Helper()
	request["op"], request["id"] = op, "only"
	line, err := json.Marshal(request)
	must(t, err)
	var out bytes.Buffer
	must(t, lines.Serve(bytes.NewReader(line), &out, lines.ByName(ops)))
	var answer fields
	must(t, json.Unmarshal(out.Bytes(), &answer))
	if answer["id"] != "only" {
		t.Fatalf("answered under another id: %s", &out)
	}
	return answer
}

func accepted(t *testing.T, answer fields) fields {
	t.Helper()
	if answer["ok"] != true {
		t.Fatalf("refused: %v", answer["error"])
	}
	return answer
}

// refused wants a verdict with these words, not a request gone wrong.
func refused(t *testing.T, answer fields, words string) fields {
	t.Helper()
	message, _ := answer["error"].(string)
	switch {
	case answer["ok"] != false:
		t.Fatalf("accepted; want %q", words)
	case answer["unjudged"] == true:
		t.Fatalf("not judged: %s", message)
	case !strings.Contains(message, words):
		t.Fatalf("refused with %q; want %q", message, words)
	}
	return answer
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	gotJSON, err := json.Marshal(got)
	must(t, err)
	wantJSON, err := json.Marshal(want)
	must(t, err)
	if !bytes.Equal(gotJSON, wantJSON) {
		t.Fatalf("got %s; want %s", gotJSON, wantJSON)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
