package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// ca is a Sentry that runs: the bundle it works with, and its own certificate.
type ca struct {
	folder, trustDomain, namespace string
	life                           lifetime

	mutex  sync.Mutex
	bundle *bundle
	own    *tls.Certificate
}

type caEvent struct {
	Event   string   `json:"event"`
	Address string   `json:"address,omitempty"`
	Anchors []string `json:"anchors,omitempty"`
	Issuer  string   `json:"issuer,omitempty"`
	Reason  string   `json:"reason,omitempty"`
}

func runCA(args []string) error {
	sentry := &ca{}
	flags := flag.NewFlagSet("ca", flag.ContinueOnError)
	flags.StringVar(&sentry.folder, "dir", "", "the folder with ca.crt, issuer.crt and issuer.key")
	flags.StringVar(&sentry.trustDomain, "trust-domain", "cluster.local", "the trust domain")
	flags.StringVar(&sentry.namespace, "namespace", "default", "the control plane's namespace")
	flags.DurationVar(&sentry.life.ttl, "ttl", 24*time.Hour, "workloadCertTTL")
	flags.DurationVar(&sentry.life.skew, "skew", 15*time.Minute, "allowedClockSkew")
	if err := flags.Parse(args); err != nil {
		return err
	}
	go hear(func([]byte) {})

	events := make(chan string, 64)
	if err := watch(sentry.folder, func(name string) { events <- name }); err != nil {
		return err
	}
	if err := sentry.load(); err != nil {
		return err
	}
	go schedule(events, sentry.reloadOrDie)
	return sentry.serve()
}

// load reads the folder anew and signs its own identity, as Sentry does each time.
func (c *ca) load() error {
	loaded, err := readBundle(c.folder)
	if err != nil {
		return err
	}
	own, err := c.signOwn(loaded)
	if err != nil {
		return fmt.Errorf("failed to retrieve the initial identity: %w", err)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.bundle, c.own = loaded, own
	return nil
}

func (c *ca) reloadOrDie() {
	if err := c.load(); err != nil {
		tell(caEvent{Event: "exited", Reason: err.Error()})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tell(c.describe("loaded"))
}

func (c *ca) describe(event string) caEvent {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return caEvent{Event: event, Anchors: fingerprints(c.bundle.anchors), Issuer: fingerprint(c.bundle.chain[0])}
}

func (c *ca) signOwn(by *bundle) (*tls.Certificate, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	chain, err := by.signLeaf(spiffeID(c.trustDomain, c.namespace, "dapr-sentry"), public, c.life)
	if err != nil {
		return nil, err
	}
	return pair(chain, key), nil
}

// serve answers until SIGTERM, and then whoever has been heard already.
func (c *ca) serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	config := tlsConfig(nil)
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.identity() }
	routes := http.NewServeMux()
	routes.HandleFunc("POST /sign", c.sign)
	server := &http.Server{Handler: routes, TLSConfig: config, ErrorLog: quiet()}

	ready := c.describe("ready")
	ready.Address = listener.Addr().String()
	tell(ready)
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	drained := make(chan error, 1)
	go func() {
		<-term
		drained <- server.Shutdown(context.Background())
	}()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained
}

// identity is renewed when half of its life is over, as everybody's.
func (c *ca) identity() (*tls.Certificate, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if time.Now().Before(halfLife(c.own.Leaf)) {
		return c.own, nil
	}
	own, err := c.signOwn(c.bundle)
	if err == nil {
		c.own = own
	}
	return c.own, err
}

// sign answers a certificate signing request with a leaf and the issuer chain.
// Whose it is stands in the query: a Sentry that runs self-hosted believes it.
func (c *ca) sign(response http.ResponseWriter, request *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(response, request.Body, 1<<16))
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	csr, err := decodeRequest(text)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	query := request.URL.Query()
	c.mutex.Lock()
	by := c.bundle
	c.mutex.Unlock()
	chain, err := by.signLeaf(spiffeID(c.trustDomain, query.Get("namespace"), query.Get("id")), csr.PublicKey, c.life)
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = response.Write(encodeCertificates(chain))
}

func decodeRequest(text []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, errors.New("invalid certificate signing request")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("failed to parse certificate signing request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, errors.New("invalid signature")
	}
	return csr, nil
}
