package main

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestSentry(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)
	below := forge(t, "below", issuer, nil)
	stranger := forge(t, "stranger", nil, nil)
	expired := forge(t, "expired", nil, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) })
	cross := forgeWithKey(t, "stranger", stranger.key, root, nil)
	notCA := forge(t, "not a CA", root, func(c *x509.Certificate) { c.IsCA = false })
	noSign := forge(t, "no use", root, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = false, false, x509.KeyUsageDigitalSignature
	})
	clientOnly := forge(t, "client only", root, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	pathLenZero := forge(t, "pathlen:0", root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	newRoot := forge(t, "new root", nil, nil)
	crossed := forgeWithKey(t, "new root", newRoot.key, pathLenZero, nil)
	newIssuer := forge(t, "new issuer", newRoot, nil)
	crl := pemText("X509 CRL", []byte{5, 0})

	accept := map[string]struct {
		ca, issuer, key string
		anchors, chain  int
	}{
		"an issuer below a root":            {root.pem, issuer.pem, issuer.keyPEM, 1, 1},
		"a chain":                           {root.pem, below.pem + issuer.pem, below.keyPEM, 1, 2},
		"a chain with its root":             {root.pem, below.pem + issuer.pem + root.pem, below.keyPEM, 1, 2},
		"an expired anchor beside":          {expired.pem + root.pem, issuer.pem, issuer.keyPEM, 2, 1},
		"an anchor lost behind a CRL":       {root.pem + crl + stranger.pem, issuer.pem, issuer.keyPEM, 1, 1},
		"an issuer with CA:FALSE":           {root.pem, notCA.pem, notCA.keyPEM, 1, 1},
		"a bridge that old sidecars refuse": {root.pem + newRoot.pem, newIssuer.pem + crossed.pem + pathLenZero.pem, newIssuer.keyPEM, 2, 3},
	}
	for name, test := range accept {
		t.Run("accepts "+name, func(t *testing.T) {
			answer := accepted(t, ask(t, "sentry", parts(test.ca, test.issuer, test.key)))
			equal(t, answer["anchors"], test.anchors)
			equal(t, answer["chain"], test.chain)
		})
	}

	refuse := map[string]struct{ ca, issuer, key, words string }{
		"no anchor":               {"", issuer.pem, issuer.keyPEM, "failed to decode trust anchors: no certificates found"},
		"a cross-certificate":     {root.pem + cross.pem, issuer.pem, issuer.keyPEM, "certificate in trust anchor is not self-signed: x509: ECDSA verification failure"},
		"the chain upside down":   {root.pem, issuer.pem + below.pem, issuer.keyPEM, "certificate chain is not valid"},
		"the root as the issuer":  {root.pem, root.pem, root.keyPEM, "issuer chain is empty after re-encoding"},
		"an issuer of no use":     {root.pem, noSign.pem, noSign.keyPEM, "intermediate certificate is not valid for signing"},
		"a key behind parameters": {root.pem, issuer.pem, ecParameters + issuer.keyPEM, "unsupported block type EC PARAMETERS"},
		"another's key":           {root.pem, issuer.pem, below.keyPEM, "issuer key does not match issuer certificate"},
		"a stranger's anchor":     {stranger.pem, issuer.pem, issuer.keyPEM, "issuer chain does not belong to trust anchors: x509: certificate signed by unknown authority"},
		"an issuer for clients":   {root.pem, clientOnly.pem, clientOnly.keyPEM, "issuer chain does not belong to trust anchors: x509: certificate specifies an incompatible key usage"},
	}
	for name, test := range refuse {
		t.Run("refuses "+name, func(t *testing.T) {
			refused(t, ask(t, "sentry", parts(test.ca, test.issuer, test.key)), test.words)
		})
	}

	t.Run("refuses the expired", func(t *testing.T) {
		request := parts(root.pem, issuer.pem, issuer.keyPEM)
		request["at"] = noon.Add(48 * time.Hour)
		refused(t, ask(t, "sentry", request), "issuer chain does not belong to trust anchors: x509: certificate has expired")
	})
}

func TestSentryRegenerates(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)
	for _, missing := range []string{"ca", "issuer", "key"} {
		request := parts(root.pem, issuer.pem, issuer.keyPEM)
		delete(request, missing)
		answer := refused(t, ask(t, "sentry", request), "a part is missing")
		equal(t, answer["regenerates"], true)
	}
	request := parts(root.pem, issuer.pem, issuer.keyPEM)
	request["configMapCa"] = []byte(root.pem)
	accepted(t, ask(t, "sentry", request))
	request["configMapCa"] = []byte(root.pem + "\n")
	equal(t, refused(t, ask(t, "sentry", request), "ca.crt differs")["regenerates"], true)
}

func parts(ca, issuer, key string) fields {
	return fields{"ca": []byte(ca), "issuer": []byte(issuer), "key": []byte(key), "at": noon}
}
