package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)
	below := forge(t, "below", issuer, nil)
	stranger := forge(t, "stranger", nil, nil)
	serverOnly := forge(t, "server only", root, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})

	accept := map[string]fields{
		"a chain":                    {"chain": below.pem + issuer.pem, "anchors": root.pem},
		"the anchor itself":          {"chain": root.pem, "anchors": root.pem},
		"for both usages":            {"chain": issuer.pem, "anchors": root.pem, "usages": []string{"server", "client"}},
		"one of several anchors":     {"chain": issuer.pem, "anchors": stranger.pem + root.pem},
		"the usage it has":           {"chain": serverOnly.pem, "anchors": root.pem, "usages": []string{"server"}},
		"any usage if none is asked": {"chain": serverOnly.pem, "anchors": root.pem, "usages": []string{}},
	}
	for name, request := range accept {
		t.Run("accepts "+name, func(t *testing.T) {
			request["at"] = noon
			accepted(t, ask(t, "verify", request))
		})
	}

	refuse := map[string]struct {
		request fields
		words   string
	}{
		"a stranger's anchor":   {fields{"chain": issuer.pem, "anchors": stranger.pem}, "any: x509: certificate signed by unknown authority"},
		"a missing link":        {fields{"chain": below.pem, "anchors": root.pem}, "unknown authority"},
		"a usage it lacks":      {fields{"chain": serverOnly.pem, "anchors": root.pem, "usages": []string{"server", "client"}}, "client: x509: certificate specifies an incompatible key usage"},
		"the day after":         {fields{"chain": issuer.pem, "anchors": root.pem, "at": noon.Add(25 * time.Hour)}, "certificate has expired or is not yet valid"},
		"no certificate":        {fields{"chain": "", "anchors": root.pem}, "chain: no certificates found"},
		"anchors of no meaning": {fields{"chain": root.pem, "anchors": "hello"}, "anchors: no certificates found"},
	}
	for name, test := range refuse {
		t.Run("refuses "+name, func(t *testing.T) {
			if _, given := test.request["at"]; !given {
				test.request["at"] = noon
			}
			refused(t, ask(t, "verify", test.request), test.words)
		})
	}
}

// The cases that the design of rotation stands on.
func TestVerifyRenewedRoot(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)
	at := func(anchor *holder) fields {
		return ask(t, "verify", fields{"chain": issuer.pem, "anchors": anchor.pem, "at": noon})
	}
	sameName := forgeWithKey(t, "root", root.key, nil, nil)
	accepted(t, at(sameName))

	otherString := forgeWithKey(t, "root", root.key, nil, func(c *x509.Certificate) {
		c.RawSubject = utf8Name(t, "root")
	})
	refused(t, at(otherString), "unknown authority")

	otherSKI := forgeWithKey(t, "root", root.key, nil, func(c *x509.Certificate) {
		c.SubjectKeyId = []byte{1, 2, 3}
	})
	accepted(t, at(otherSKI))
}

func TestVerifyCountsSelfIssuedAgainstPathLength(t *testing.T) {
	root := forge(t, "one name", nil, func(c *x509.Certificate) { c.MaxPathLen = 0; c.MaxPathLenZero = true })
	selfIssued := forge(t, "one name", root, nil)
	below := forge(t, "below", selfIssued, nil)
	answer := ask(t, "verify", fields{"chain": below.pem + selfIssued.pem, "anchors": root.pem, "at": noon})
	refused(t, answer, "too many intermediates for path length constraint")
}

// utf8Name is a common name that Go itself would write as a PrintableString.
func utf8Name(t *testing.T, name string) []byte {
	t.Helper()
	value := asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(name)}
	der, err := asn1.Marshal(pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: value}}})
	must(t, err)
	return der
}
