package main

import "testing"

func TestBundle(t *testing.T) {
	for _, keyType := range []string{"ed25519", "ecdsa-p256", "rsa-2048"} {
		made := accepted(t, ask(t, "bundle", fields{"trustDomain": "cluster.local", "keyType": keyType, "at": noon}))
		accepted(t, ask(t, "sentry", parts(made["ca"].(string), made["issuer"].(string), made["key"].(string))))
		accepted(t, ask(t, "key", fields{"pem": []byte(made["rootKey"].(string))}))
	}
	refused(t, ask(t, "bundle", fields{"trustDomain": "Cluster.Local"}), "trust domain characters are limited")
}
