package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// application is who a service is in the mesh.
type application struct {
	trustDomain, controlPlane, namespace, id string
}

// neighbourhood is what the tests say over standard input, each time anew: where
// the CA is, and whom to call.
type neighbourhood struct {
	Revision  int    `json:"revision"`
	Authority string `json:"authority"`
	Peers     []peer `json:"peers"`
}

type peer struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	Address   string `json:"address"`
}

// service is an application with its sidecar.
type service struct {
	self application
	// anchors are those it was born with. daprd never reads them again.
	anchors   *x509.CertPool
	authority atomic.Pointer[string]
	identity  atomic.Pointer[tls.Certificate]
}

type serviceEvent struct {
	Event    string `json:"event"`
	Address  string `json:"address,omitempty"`
	Issuer   string `json:"issuer,omitempty"`
	Revision int    `json:"revision,omitempty"`
	Peer     string `json:"peer,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Distrust is true when nothing but a refused certificate explains the failure.
	Distrust bool `json:"distrust,omitempty"`
}

const anchorsVariable = "DAPR_TRUST_ANCHORS"

func runService(args []string) error {
	app := &service{}
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.StringVar(&app.self.id, "id", "", "the application's ID")
	flags.StringVar(&app.self.namespace, "namespace", "default", "its namespace")
	flags.StringVar(&app.self.trustDomain, "trust-domain", "cluster.local", "the trust domain")
	flags.StringVar(&app.self.controlPlane, "control-plane-namespace", "default", "the namespace of Sentry")
	rate := flags.Float64("rate", 10, "calls a second")
	if err := flags.Parse(args); err != nil {
		return err
	}
	anchors, err := decodeCertificates([]byte(os.Getenv(anchorsVariable)))
	if err != nil {
		return err
	}
	app.anchors = pool(anchors)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	neighbours := make(chan neighbourhood)
	go hear(func(line []byte) {
		var told neighbourhood
		if err := json.Unmarshal(line, &told); err != nil {
			panic(err)
		}
		app.authority.Store(&told.Authority)
		neighbours <- told
	})
	first := <-neighbours
	if err := app.awaitIdentity(ctx); err != nil {
		return err
	}
	go app.renew(ctx)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := app.serve(listener)
	tell(serviceEvent{Event: "ready", Address: listener.Addr().String()})
	app.call(ctx, first, neighbours, time.Duration(float64(time.Second) / *rate))
	server.drain()
	return nil
}

// awaitIdentity goes on until it has one: a sidecar that cannot verify Sentry
// hangs.
func (s *service) awaitIdentity(ctx context.Context) error {
	for !s.tryRenewal(ctx) {
		if !sleep(ctx, time.Second) {
			return errors.New("stopped before there was an identity")
		}
	}
	return nil
}

// renew fetches a new certificate whenever half of the life is over. One that
// comes when the old one has ended, though nobody refused it, tells of a machine
// that is too busy for anything to be measured on it.
func (s *service) renew(ctx context.Context) {
	for {
		before := s.identity.Load().Leaf
		if !sleep(ctx, time.Until(halfLife(before))) {
			return
		}
		isFirst := true
		for !s.tryRenewal(ctx) {
			isFirst = false
			if !sleep(ctx, time.Second) {
				return
			}
		}
		if late := time.Since(before.NotAfter); isFirst && late > 0 {
			tell(serviceEvent{Event: "late", Reason: fmt.Sprintf("a renewal took until %v after the end", late)})
		}
	}
}

func (s *service) tryRenewal(ctx context.Context) bool {
	identity, err := fetchIdentity(ctx, *s.authority.Load(), s.self, s.anchors)
	if err != nil {
		if ctx.Err() == nil {
			tell(serviceEvent{Event: "identity-missed", Reason: err.Error(), Distrust: errors.As(err, &distrust{})})
		}
		return false
	}
	s.identity.Store(identity)
	issuer, err := x509.ParseCertificate(identity.Certificate[1])
	if err != nil {
		panic(err)
	}
	tell(serviceEvent{Event: "identity", Issuer: fingerprint(issuer)})
	return true
}

func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
