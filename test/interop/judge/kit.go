package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// What dapr/kit's crypto/pem reads and refuses, in its words. Every PEM text
// that reaches the judge as one of Dapr's own inputs goes through here.

// decodeCertificates reads certificates until something that is not one: the
// first block of another type ends the list in silence, and so does whatever
// Go's PEM decoder cannot read. Anchors after it are lost without a word.
func decodeCertificates(text []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for {
		block, rest := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
		text = rest
	}
	if len(certificates) == 0 {
		return nil, errors.New("no certificates found")
	}
	return certificates, nil
}

// decodeChain also wants each certificate signed by the one after it. Only
// signatures count here: names and dates are looked at later, or never.
func decodeChain(text []byte) ([]*x509.Certificate, error) {
	chain, err := decodeCertificates(text)
	if err != nil {
		return nil, err
	}
	for i, certificate := range chain[1:] {
		if chain[i].CheckSignatureFrom(certificate) != nil {
			return nil, errors.New("certificate chain is not valid")
		}
	}
	return chain, nil
}

// encodeChain leaves out the self-signed, wherever they stand.
func encodeChain(chain []*x509.Certificate) string {
	var text bytes.Buffer
	for _, certificate := range chain {
		if !selfSigned(certificate) {
			text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
		}
	}
	return text.String()
}

func selfSigned(certificate *x509.Certificate) bool {
	return certificate.CheckSignatureFrom(certificate) == nil
}

// decodeKey looks at the first block only, so `EC PARAMETERS` before the key,
// as `openssl ecparam -genkey` writes it, hides the key.
func decodeKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("key is not PEM encoded")
	}
	switch block.Type {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		signer, signs := key.(crypto.Signer)
		if !signs {
			// An X25519 key: the kit asserts the type unchecked and dies of it.
			return nil, fmt.Errorf("panic: interface conversion: %T is not crypto.Signer: missing method Sign", key)
		}
		return signer, nil
	default:
		return nil, fmt.Errorf("unsupported block type %s", block.Type)
	}
}
