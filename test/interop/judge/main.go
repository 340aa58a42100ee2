// Command judge says what Go, Dapr's Sentry and Dapr's sidecars make of
// certificates, keys and bundles. It shares no code with dapr-mtls and depends
// on nothing but Go's standard library, which is what Dapr itself judges with.
//
// Requests are JSON lines on stdin, answers JSON lines on stdout. The exit code
// tells only whether they could be read and written.
package main

import (
	"fmt"
	"os"

	"dapr-mtls.dev/judge/lines"
)

var ops = map[string]lines.Handler{
	"bundle":    lines.Op(bundle),
	"handshake": lines.Op(handshake),
	"key":       lines.Op(key),
	"leaf":      lines.Op(leaf),
	"parse":     lines.Op(parse),
	"pem":       lines.Op(pemFile),
	"sentry":    lines.Op(sentry),
	"verify":    lines.Op(verify),
}

func main() {
	if err := lines.Serve(os.Stdin, os.Stdout, lines.ByName(ops)); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}
