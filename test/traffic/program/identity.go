package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"time"
)

const requestLimit = 30 * time.Second

// halfLife is when daprd asks for a new certificate.
func halfLife(leaf *x509.Certificate) time.Time {
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
}

func pair(chain []*x509.Certificate, key crypto.Signer) *tls.Certificate {
	own := &tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, certificate := range chain {
		own.Certificate = append(own.Certificate, certificate.Raw)
	}
	return own
}

// fetchIdentity asks the CA for a certificate on a fresh key. The CA itself has
// to show a chain to the anchors, and Sentry's exact ID.
func fetchIdentity(ctx context.Context, address string, self application, anchors *x509.CertPool) (*tls.Certificate, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	query := url.Values{"namespace": {self.namespace}, "id": {self.id}}
	body := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+"/sign?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sentry := spiffeID(self.trustDomain, self.controlPlane, "dapr-sentry")
	client := &http.Client{
		Timeout:   requestLimit,
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: tlsConfig(verifier(anchors, sentry))},
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, text)
	}
	chain, err := decodeCertificates(text)
	if err != nil {
		return nil, err
	}
	return pair(chain, key), nil
}

// quiet drops what net/http logs of handshakes that clients broke off.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
