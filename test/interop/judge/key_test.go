package main

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
)

const ecParameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"

func TestKey(t *testing.T) {
	root := forge(t, "root", nil, nil)
	sec1, err := x509.MarshalECPrivateKey(root.key.(*ecdsa.PrivateKey))
	must(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	ed25519Key, err := generateKey("ed25519")
	must(t, err)
	ed25519PEM, err := encodeKey(ed25519Key)
	must(t, err)
	x25519Key, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	x25519, err := x509.MarshalPKCS8PrivateKey(x25519Key)
	must(t, err)

	accept := map[string]string{
		root.keyPEM:                         "ECDSA P-256",
		pemText("EC PRIVATE KEY", sec1):     "ECDSA P-256",
		root.keyPEM + ecParameters:          "ECDSA P-256",
		"# a comment\n" + root.keyPEM + "#": "ECDSA P-256",
		ed25519PEM:                          "Ed25519",
		pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)): "RSA 2048",
	}
	for text, kind := range accept {
		answer := accepted(t, ask(t, "key", fields{"pem": []byte(text)}))
		equal(t, answer["type"], kind)
	}
	answer := accepted(t, ask(t, "key", fields{"pem": []byte(root.keyPEM)}))
	equal(t, answer["spkiSha256"], sha256Hex(root.certificate.RawSubjectPublicKeyInfo))

	refuse := map[string]string{
		"":                             "key is not PEM encoded",
		ecParameters + root.keyPEM:     "unsupported block type EC PARAMETERS",
		root.pem + root.keyPEM:         "unsupported block type CERTIFICATE",
		pemText("PRIVATE KEY", sec1):   "use ParseECPrivateKey instead",
		pemText("PRIVATE KEY", x25519): "panic: interface conversion: *ecdh.PrivateKey",
	}
	for text, words := range refuse {
		refused(t, ask(t, "key", fields{"pem": []byte(text)}), words)
	}
}
