package main

import (
	"fmt"
	"slices"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"dapr-mtls.dev/judge/lines"
)

type request struct {
	lines.Head
	DER []byte `json:"der"`
}

type answer struct {
	lines.Verdict
	// Failures are what makes the verdict: status "error" or "fatal".
	Failures []finding `json:"failures"`
	Warnings []finding `json:"warnings"`
}

type finding struct {
	Lint        string `json:"lint"`
	Status      string `json:"status"`
	Description string `json:"description"`
	Citation    string `json:"citation"`
	Details     string `json:"details,omitempty"`
}

// rfc5280 makes a judge of zlint's lints of that source only: those of the
// CA/Browser Forum and the root programmes do not concern a private root.
func rfc5280() (func(request) (answer, error), error) {
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{lint.RFC5280}})
	if err != nil {
		return nil, fmt.Errorf("choose the lints: %w", err)
	}
	return func(request request) (answer, error) {
		verdict := answer{Failures: []finding{}, Warnings: []finding{}}
		certificate, err := x509.ParseCertificate(request.DER)
		if err != nil {
			return verdict, err
		}
		results := zlint.LintCertificateEx(certificate, registry).Results
		for _, name := range sorted(results) {
			result := results[name]
			switch result.Status {
			case lint.Error, lint.Fatal:
				verdict.Failures = append(verdict.Failures, describe(registry, name, result))
			case lint.Warn:
				verdict.Warnings = append(verdict.Warnings, describe(registry, name, result))
			}
		}
		if count := len(verdict.Failures); count > 0 {
			return verdict, fmt.Errorf("RFC 5280: %d failed, the first %s", count, verdict.Failures[0].Lint)
		}
		return verdict, nil
	}, nil
}

func sorted(results map[string]*lint.LintResult) []string {
	names := make([]string, 0, len(results))
	for name := range results {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func describe(registry lint.Registry, name string, result *lint.LintResult) finding {
	found := finding{Lint: name, Status: result.Status.String(), Details: result.Details}
	if known := registry.CertificateLints().ByName(name); known != nil {
		found.Description, found.Citation = known.Description, known.Citation
	}
	return found
}
