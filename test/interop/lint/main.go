// Command lint holds certificates against RFC 5280 with zlint, which shares
// nothing with dapr-mtls nor with Go's own x509 package.
//
// It speaks the judge's JSON lines, without an op.
package main

import (
	"fmt"
	"os"

	"dapr-mtls.dev/judge/lines"
)

func main() {
	judge, err := rfc5280()
	if err == nil {
		err = lines.Serve(os.Stdin, os.Stdout, lines.Op(judge))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(1)
	}
}
