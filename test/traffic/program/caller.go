package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// called is told each second, and at the end: how many calls are over since it
// was told last, the failed ones among them.
type called struct {
	Event string `json:"event"`
	Made  int64  `json:"made"`
}

const mostUnderWay = 8

// call calls the peers in turn until the context ends, each time with a fresh
// handshake, and waits for those under way. A changed neighbourhood is
// acknowledged when no call of the one before is under way any more: then a
// peer that is not in it is called by nobody, and may go.
func (s *service) call(ctx context.Context, near neighbourhood, changes <-chan neighbourhood, pause time.Duration) {
	var made, active atomic.Int64
	count := func() { tell(called{Event: "called", Made: made.Swap(0)}) }
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	underWay := &sync.WaitGroup{}
	all := []*sync.WaitGroup{underWay}
	tell(serviceEvent{Event: "neighbours", Revision: near.Revision})
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-ctx.Done():
			await(all)
			count()
			return
		case <-seconds.C:
			count()
		case changed := <-changes:
			before := all
			near, underWay = changed, &sync.WaitGroup{}
			all = append(slices.Clone(before), underWay)
			go func() {
				await(before)
				tell(serviceEvent{Event: "neighbours", Revision: changed.Revision})
			}()
		case <-ticks.C:
			// On a busy machine fewer calls are made. Calls that pile up would leave
			// no time to renew certificates, and nothing else would be measured.
			if len(near.Peers) == 0 || active.Load() >= mostUnderWay {
				continue
			}
			callee := near.Peers[turn%len(near.Peers)]
			calls := underWay
			calls.Add(1)
			active.Add(1)
			go func() {
				defer calls.Done()
				defer active.Add(-1)
				if err := s.callOnce(callee); err != nil {
					tell(serviceEvent{Event: "failed", Peer: callee.ID, Reason: err.Error(), Distrust: isDistrust(err)})
				}
				made.Add(1)
			}()
		}
	}
}

func await(all []*sync.WaitGroup) {
	for _, calls := range all {
		calls.Wait()
	}
}

// callOnce sends nothing after its handshake: the server's verdict on our
// certificate is what it reads, either the byte or an alert.
func (s *service) callOnce(callee peer) error {
	conn, err := net.DialTimeout("tcp", callee.Address, requestLimit)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestLimit))
	config := tlsConfig(verifier(s.anchors, spiffeID(s.self.trustDomain, callee.Namespace, callee.ID)))
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return s.identity.Load(), nil
	}
	_, err = io.ReadFull(tls.Client(conn, config), make([]byte, 1))
	return err
}

// isDistrust is true for a certificate that we refused, and for one of ours that
// the other side refused. All else would be a fault of the tests.
func isDistrust(err error) bool {
	if errors.As(err, &distrust{}) {
		return true
	}
	var told *net.OpError
	return errors.As(err, &told) && told.Op == "remote error"
}
