package main

import (
	"encoding/pem"

	"dapr-mtls.dev/judge/lines"
)

type pemRequest struct {
	lines.Head
	Text []byte `json:"text"`
}

type pemAnswer struct {
	lines.Verdict
	Blocks []pemBlock `json:"blocks"`
	// Rest is how many bytes follow the last block that Go could read.
	Rest int `json:"rest"`
	// SentryCertificates is how many certificates Dapr takes from the text.
	SentryCertificates int `json:"sentryCertificates"`
}

type pemBlock struct {
	Type    string `json:"type"`
	SHA256  string `json:"sha256"`
	Headers bool   `json:"headers"`
}

// pemFile lists the blocks that Go's decoder finds, and beside them what Dapr
// makes of the same bytes. Its refusal is Dapr's; the blocks are told anyway.
func pemFile(request pemRequest) (pemAnswer, error) {
	answer := pemAnswer{Blocks: []pemBlock{}}
	rest := request.Text
	for {
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		answer.Blocks = append(answer.Blocks, pemBlock{
			Type:    block.Type,
			SHA256:  sha256Hex(block.Bytes),
			Headers: len(block.Headers) > 0,
		})
		rest = after
	}
	answer.Rest = len(rest)
	certificates, err := decodeCertificates(request.Text)
	answer.SentryCertificates = len(certificates)
	return answer, err
}
