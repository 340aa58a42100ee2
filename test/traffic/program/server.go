package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// server answers calls. What it answers is one byte, once it has seen who calls.
type server struct {
	listener net.Listener
	serving  sync.WaitGroup
}

func (s *service) serve(listener net.Listener) *server {
	config := tlsConfig(verifier(s.anchors, nil))
	config.ClientAuth = tls.RequireAnyClientCert
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.identity.Load(), nil }
	started := &server{listener: listener}
	started.serving.Add(1)
	go func() {
		defer started.serving.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			started.serving.Add(1)
			go func() {
				defer started.serving.Done()
				answer(conn, config)
			}()
		}
	}()
	return started
}

// drain closes the door and waits until whoever came in before is served.
func (s *server) drain() {
	_ = s.listener.Close()
	s.serving.Wait()
}

func answer(conn net.Conn, config *tls.Config) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestLimit))
	err := func() error {
		secured := tls.Server(conn, config)
		if err := secured.Handshake(); err != nil {
			return err
		}
		_, err := secured.Write([]byte{'!'})
		return err
	}()
	if errors.As(err, &distrust{}) {
		tell(serviceEvent{Event: "refused", Reason: err.Error(), Distrust: true})
	}
	// The caller hangs up. Closed before, with bytes of its handshake unread, the
	// connection would be reset, and the alert that tells of the refusal lost.
	_, _ = io.Copy(io.Discard, conn)
}
