package main

import (
	"encoding/pem"
	"testing"
)

const appID = "spiffe://cluster.local/ns/default/app"

func TestLeaf(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)
	answer := accepted(t, ask(t, "leaf", leafBelow(issuer, issuer.pem+root.pem)))

	chain := answer["chain"].(string)
	accepted(t, ask(t, "verify", fields{"chain": chain, "anchors": root.pem, "usages": []string{"server", "client"}, "at": noon}))
	equal(t, accepted(t, ask(t, "pem", fields{"text": []byte(chain)}))["sentryCertificates"], 2)

	block, _ := pem.Decode([]byte(chain))
	got := accepted(t, ask(t, "parse", fields{"der": block.Bytes}))["certificate"].(fields)
	want := fields{
		"rawSubject":            "3000",
		"ski":                   "",
		"aki":                   accepted(t, ask(t, "parse", fields{"der": issuer.certificate.Raw}))["certificate"].(fields)["ski"],
		"notBefore":             "2031-05-01T11:45:00Z",
		"notAfter":              "2031-05-01T13:00:00Z",
		"keyUsage":              []string{"digitalSignature"},
		"extKeyUsage":           []string{"serverAuth", "clientAuth"},
		"uris":                  []string{appID},
		"dnsNames":              []string{},
		"basicConstraintsValid": false,
		"publicKeyAlgorithm":    "Ed25519",
		"extensions": []fields{
			{"oid": "2.5.29.15", "critical": true},
			{"oid": "2.5.29.37", "critical": false},
			{"oid": "2.5.29.35", "critical": false},
			{"oid": "2.5.29.17", "critical": true},
		},
	}
	for name, value := range want {
		t.Run(name, func(t *testing.T) { equal(t, got[name], value) })
	}
	key := accepted(t, ask(t, "key", fields{"pem": []byte(answer["key"].(string))}))
	equal(t, key["spkiSha256"], got["spkiSha256"])
}

func TestLeafRefuses(t *testing.T) {
	root := forge(t, "root", nil, nil)
	issuer := forge(t, "issuer", root, nil)

	badID := leafBelow(issuer, issuer.pem)
	badID["id_spiffe"] = "spiffe://Cluster.Local/ns/default/app"
	refused(t, ask(t, "leaf", badID), "id_spiffe: trust domain characters are limited")

	otherKey := leafBelow(issuer, issuer.pem)
	otherKey["issuerKey"] = root.keyPEM
	refused(t, ask(t, "leaf", otherKey), "x509: provided PrivateKey doesn't match parent's PublicKey")
}

func leafBelow(issuer *holder, chain string) fields {
	return fields{
		"issuerChain": chain, "issuerKey": issuer.keyPEM, "id_spiffe": appID,
		"ttlSeconds": 3600, "skewSeconds": 900, "at": noon,
	}
}
