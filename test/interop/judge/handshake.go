package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"dapr-mtls.dev/judge/lines"
)

// shakeLimit is far beyond what a handshake in memory takes.
const shakeLimit = 10 * time.Second

type handshakeRequest struct {
	lines.Head
	Server peer      `json:"server"`
	Client peer      `json:"client"`
	At     time.Time `json:"at"`
}

// peer is one side: its own certificate and key, and whom it trusts.
type peer struct {
	Chain   string `json:"chain"`
	Key     string `json:"key"`
	Anchors string `json:"anchors"`
	// Expect is the SPIFFE ID that the other side must have; any if left out.
	// Dapr's clients expect one, its servers take any.
	Expect string `json:"expect"`
}

type handshakeAnswer struct {
	lines.Verdict
	// What each side ended with; "remote error" on the one that was refused.
	ServerError string `json:"serverError,omitempty"`
	ClientError string `json:"clientError,omitempty"`
}

// handshake lets two workloads meet as two sidecars do.
func handshake(request handshakeRequest) (answer handshakeAnswer, err error) {
	server, err := request.Server.config(request.At)
	if err != nil {
		return answer, fmt.Errorf("server: %w", err)
	}
	client, err := request.Client.config(request.At)
	if err != nil {
		return answer, fmt.Errorf("client: %w", err)
	}
	serverErr, clientErr := shake(server, client)
	if serverErr != nil {
		answer.ServerError = serverErr.Error()
	}
	if clientErr != nil {
		answer.ClientError = clientErr.Error()
	}
	return answer, blame(serverErr, clientErr)
}

// blame picks the side that refused over the one that was told so.
func blame(serverErr, clientErr error) error {
	switch {
	case clientErr != nil && (serverErr == nil || !toldByPeer(clientErr)):
		return fmt.Errorf("client: %w", clientErr)
	case serverErr != nil:
		return fmt.Errorf("server: %w", serverErr)
	default:
		return nil
	}
}

func toldByPeer(err error) bool {
	var told *net.OpError
	return errors.As(err, &told) && told.Op == "remote error" || errors.Is(err, io.EOF)
}

// config is go-spiffe's for mutual TLS: crypto/tls looks at no certificate
// itself, SPIFFE's rules do. TLS 1.3 because all of Dapr is Go and picks it.
func (p peer) config(at time.Time) (*tls.Config, error) {
	chain, err := decodeCertificates([]byte(p.Chain))
	if err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	// daprd asks for its own ID before it uses what Sentry signed.
	if _, err := spiffeIDOf(chain[0]); err != nil {
		return nil, fmt.Errorf("error parsing spiffe id from newly signed certificate: %w", err)
	}
	key, err := decodeKey([]byte(p.Key))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	anchors, err := decodeCertificates([]byte(p.Anchors))
	if err != nil {
		return nil, fmt.Errorf("failed to decode trust anchors: %w", err)
	}
	own := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, certificate := range chain {
		own.Certificate = append(own.Certificate, certificate.Raw)
	}
	return &tls.Config{
		MinVersion:            tls.VersionTLS13,
		ClientAuth:            tls.RequireAnyClientCert,
		GetCertificate:        func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &own, nil },
		GetClientCertificate:  func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil },
		InsecureSkipVerify:    true, // VerifyPeerCertificate does it, without host names.
		VerifyPeerCertificate: p.verifier(anchors, at),
	}, nil
}

func (p peer) verifier(anchors []*x509.Certificate, at time.Time) func([][]byte, [][]*x509.Certificate) error {
	return func(raw [][]byte, _ [][]*x509.Certificate) error {
		chain := make([]*x509.Certificate, 0, len(raw))
		for _, der := range raw {
			certificate, err := x509.ParseCertificate(der)
			if err != nil {
				return fmt.Errorf("x509svid: unable to parse certificate: %w", err)
			}
			chain = append(chain, certificate)
		}
		id, err := verifySVID(chain, anchors, at)
		if err != nil {
			return err
		}
		if p.Expect != "" && id != p.Expect {
			return fmt.Errorf("unexpected ID %q", id)
		}
		return nil
	}
}

// shake connects the two and sends one byte there and back: in TLS 1.3 a client
// is done before the server has looked at its certificate.
func shake(server, client *tls.Config) (serverErr, clientErr error) {
	serverEnd, clientEnd := wire(shakeLimit)
	served := make(chan error)
	go func() {
		served <- answerOne(tls.Server(serverEnd, server))
	}()
	clientErr = callOnce(tls.Client(clientEnd, client))
	return <-served, clientErr
}

func answerOne(conn *tls.Conn) error {
	defer conn.Close()
	var ping [1]byte
	if _, err := io.ReadFull(conn, ping[:]); err != nil {
		return err
	}
	_, err := conn.Write(ping[:])
	return err
}

func callOnce(conn *tls.Conn) error {
	defer conn.Close()
	ping := [1]byte{'!'}
	if _, err := conn.Write(ping[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, ping[:])
	return err
}
