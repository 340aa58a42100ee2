package main

import (
	"crypto/x509"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestHandshake(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)
	otherRoot := forge(t, "other root", nil, nil)
	otherIssuer := forge(t, "other issuer", otherRoot, nil)

	sidecar := func(t *testing.T, issuer *holder, anchors string) fields {
		made := accepted(t, ask(t, "leaf", leafBelow(issuer, issuer.pem)))
		return fields{"chain": made["chain"], "key": made["key"], "anchors": anchors}
	}
	shake := func(t *testing.T, server, client fields) fields {
		return ask(t, "handshake", fields{"server": server, "client": client, "at": noon})
	}

	t.Run("accepts one root", func(t *testing.T) {
		accepted(t, shake(t, sidecar(t, issuer, root.pem), sidecar(t, issuer, root.pem)))
	})
	t.Run("accepts two roots that both trust", func(t *testing.T) {
		both := root.pem + otherRoot.pem
		accepted(t, shake(t, sidecar(t, issuer, both), sidecar(t, otherIssuer, both)))
	})
	t.Run("accepts the ID it expects", func(t *testing.T) {
		client := sidecar(t, issuer, root.pem)
		client["expect"] = appID
		accepted(t, shake(t, sidecar(t, issuer, root.pem), client))
	})
	t.Run("refuses another ID", func(t *testing.T) {
		client := sidecar(t, issuer, root.pem)
		client["expect"] = appID + "2"
		refused(t, shake(t, sidecar(t, issuer, root.pem), client), `client: unexpected ID "`+appID+`"`)
	})
	t.Run("refuses a server of an unknown root", func(t *testing.T) {
		answer := shake(t, sidecar(t, otherIssuer, root.pem), sidecar(t, issuer, root.pem))
		refused(t, answer, "client: x509svid: could not verify leaf certificate: x509: certificate signed by unknown authority")
		equal(t, answer["serverError"], "remote error: tls: bad certificate")
	})
	t.Run("refuses a client of an unknown root", func(t *testing.T) {
		answer := shake(t, sidecar(t, issuer, root.pem), sidecar(t, otherIssuer, root.pem))
		refused(t, answer, "server: x509svid: could not verify leaf certificate: x509: certificate signed by unknown authority")
		equal(t, answer["clientError"], "remote error: tls: bad certificate")
	})
	t.Run("refuses what has ended", func(t *testing.T) {
		peer := sidecar(t, issuer, root.pem)
		answer := ask(t, "handshake", fields{"server": peer, "client": peer, "at": noon.Add(2 * time.Hour)})
		refused(t, answer, "certificate has expired")
	})
	t.Run("refuses another's key", func(t *testing.T) {
		server := sidecar(t, issuer, root.pem)
		server["key"] = sidecar(t, issuer, root.pem)["key"]
		refused(t, shake(t, server, sidecar(t, issuer, root.pem)), "client: tls: invalid signature by the server certificate")
	})
	t.Run("a bridge needs room below the old issuer", func(t *testing.T) {
		for _, pathLen := range []int{-1, 0, 1, 2} {
			old := forge(t, "old issuer", root, func(c *x509.Certificate) {
				c.MaxPathLen, c.MaxPathLenZero = pathLen, pathLen == 0
			})
			crossed := forgeWithKey(t, "other root", otherRoot.key, old, nil)
			made := accepted(t, ask(t, "leaf", leafBelow(otherIssuer, otherIssuer.pem+crossed.pem+old.pem)))
			bridged := fields{"chain": made["chain"], "key": made["key"], "anchors": root.pem + otherRoot.pem}
			answer := shake(t, bridged, sidecar(t, issuer, root.pem))
			if pathLen == -1 || pathLen == 2 {
				accepted(t, answer)
			} else {
				refused(t, answer, "client: x509svid: could not verify leaf certificate: x509: too many intermediates for path length constraint")
			}
			accepted(t, shake(t, bridged, sidecar(t, otherIssuer, otherRoot.pem+root.pem)))
		}
	})
	t.Run("refuses leaves of an issuer with CA:FALSE", func(t *testing.T) {
		notCA := forge(t, "not a CA", root, func(c *x509.Certificate) { c.IsCA = false })
		refused(t, shake(t, sidecar(t, notCA, root.pem), sidecar(t, issuer, root.pem)), "client: x509svid: could not verify leaf certificate: x509:")
	})
}

func TestHandshakeRefusesWhatIsNoSVID(t *testing.T) {
	root := forge(t, "root", nil, nil)
	id, err := url.Parse(appID)
	must(t, err)
	tests := map[string]struct {
		change func(*x509.Certificate)
		words  string
	}{
		"a CA": {func(c *x509.Certificate) { c.URIs = []*url.URL{id} }, "leaf certificate with CA flag set to true"},
		"a signer of certificates": {func(c *x509.Certificate) {
			c.URIs, c.IsCA = []*url.URL{id}, false
		}, "leaf certificate with KeyCertSign key usage"},
		"a signer of CRLs": {func(c *x509.Certificate) {
			c.URIs, c.IsCA, c.KeyUsage = []*url.URL{id}, false, x509.KeyUsageCRLSign
		}, "leaf certificate with KeyCrlSign key usage"},
		"no URI":   {func(c *x509.Certificate) {}, "certificate contains no URI SAN"},
		"two URIs": {func(c *x509.Certificate) { c.URIs = []*url.URL{id, id} }, "certificate contains more than one URI SAN"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			leaf := forge(t, "leaf", root, test.change)
			peer := fields{"chain": leaf.pem, "key": leaf.keyPEM, "anchors": root.pem}
			refused(t, ask(t, "handshake", fields{"server": peer, "client": peer, "at": noon}), test.words)
		})
	}
}

// Both sides write at once here; it must neither hang nor blame the wrong one.
func TestHandshakeOfLongChains(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer, chain := root, ""
	for range 12 {
		issuer = forge(t, strings.Repeat("long name ", 50), issuer, nil)
		chain = issuer.pem + chain
	}
	made := accepted(t, ask(t, "leaf", leafBelow(issuer, chain)))
	peer := fields{"chain": made["chain"], "key": made["key"], "anchors": root.pem}
	accepted(t, ask(t, "handshake", fields{"server": peer, "client": peer, "at": noon}))

	stranger := fields{"chain": made["chain"], "key": made["key"], "anchors": forge(t, "stranger", nil, nil).pem}
	begun := time.Now()
	refused(t, ask(t, "handshake", fields{"server": stranger, "client": peer, "at": noon}), "server: x509svid: could not verify leaf certificate")
	if took := time.Since(begun); took > shakeLimit/2 {
		t.Fatalf("took %s", took)
	}
}
