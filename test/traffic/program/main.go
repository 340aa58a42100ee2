// Command traffic plays the parts of a Dapr installation whose calls a rotation
// of the root of trust must not lose:
//
//	traffic ca       a Sentry on a directory
//	traffic service  an application with its sidecar, which calls the others
//	traffic roll     what stands in a restart command: asks the tests for a rolling restart
//
// It shares no code with the project and uses Go's standard library alone,
// because crypto/x509 and crypto/tls are what Sentry and daprd use.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: traffic ca|service|roll")
	}
	switch args[0] {
	case "ca":
		return runCA(args[1:])
	case "service":
		return runService(args[1:])
	case "roll":
		return runRoll(args[1:])
	default:
		return fmt.Errorf("traffic: %q is none of ca, service, roll", args[0])
	}
}
