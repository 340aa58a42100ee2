package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"time"

	"dapr-mtls.dev/judge/lines"
)

type parseRequest struct {
	lines.Head
	DER []byte `json:"der"`
}

type parseAnswer struct {
	lines.Verdict
	Certificate *certificateFields `json:"certificate,omitempty"`
}

// certificateFields is a certificate as crypto/x509 understood it. Bytes are
// lowercase hex, moments RFC 3339 in UTC.
type certificateFields struct {
	SHA256     string `json:"sha256"`
	Serial     string `json:"serial"`
	RawSubject string `json:"rawSubject"`
	RawIssuer  string `json:"rawIssuer"`
	NotBefore  string `json:"notBefore"`
	NotAfter   string `json:"notAfter"`
	// SKI and AKI (its key id) are empty when the extension is not there.
	SKI                   string `json:"ski"`
	AKI                   string `json:"aki"`
	BasicConstraintsValid bool   `json:"basicConstraintsValid"`
	IsCA                  bool   `json:"isCA"`
	// MaxPathLen is -1 when there is no limit.
	MaxPathLen         int      `json:"maxPathLen"`
	KeyUsage           []string `json:"keyUsage"`
	ExtKeyUsage        []string `json:"extKeyUsage"`
	DNSNames           []string `json:"dnsNames"`
	URIs               []string `json:"uris"`
	PublicKeyAlgorithm string   `json:"publicKeyAlgorithm"`
	SignatureAlgorithm string   `json:"signatureAlgorithm"`
	SPKISHA256         string   `json:"spkiSha256"`
	// UnhandledCritical lists the OIDs that make Verify refuse.
	UnhandledCritical []string         `json:"unhandledCritical"`
	Extensions        []extensionField `json:"extensions"`
}

type extensionField struct {
	OID      string `json:"oid"`
	Critical bool   `json:"critical"`
}

// parse tells what crypto/x509 reads in one DER certificate.
func parse(request parseRequest) (answer parseAnswer, err error) {
	certificate, err := x509.ParseCertificate(request.DER)
	if err != nil {
		return answer, err
	}
	fields := certificateFields{
		SHA256:                sha256Hex(certificate.Raw),
		Serial:                fmt.Sprintf("%x", certificate.SerialNumber),
		RawSubject:            hex.EncodeToString(certificate.RawSubject),
		RawIssuer:             hex.EncodeToString(certificate.RawIssuer),
		NotBefore:             certificate.NotBefore.UTC().Format(time.RFC3339),
		NotAfter:              certificate.NotAfter.UTC().Format(time.RFC3339),
		SKI:                   hex.EncodeToString(certificate.SubjectKeyId),
		AKI:                   hex.EncodeToString(certificate.AuthorityKeyId),
		BasicConstraintsValid: certificate.BasicConstraintsValid,
		IsCA:                  certificate.IsCA,
		MaxPathLen:            maxPathLen(certificate),
		KeyUsage:              keyUsageNames(certificate.KeyUsage),
		ExtKeyUsage:           extKeyUsageNames(certificate),
		DNSNames:              append([]string{}, certificate.DNSNames...),
		URIs:                  []string{},
		PublicKeyAlgorithm:    certificate.PublicKeyAlgorithm.String(),
		SignatureAlgorithm:    certificate.SignatureAlgorithm.String(),
		SPKISHA256:            sha256Hex(certificate.RawSubjectPublicKeyInfo),
		UnhandledCritical:     dotted(certificate.UnhandledCriticalExtensions),
		Extensions:            []extensionField{},
	}
	for _, uri := range certificate.URIs {
		fields.URIs = append(fields.URIs, uri.String())
	}
	for _, extension := range certificate.Extensions {
		fields.Extensions = append(fields.Extensions, extensionField{extension.Id.String(), extension.Critical})
	}
	answer.Certificate = &fields
	return answer, nil
}

// maxPathLen undoes crypto/x509's double zero: without MaxPathLenZero, 0 is
// "never mentioned".
func maxPathLen(certificate *x509.Certificate) int {
	if certificate.MaxPathLen == 0 && !certificate.MaxPathLenZero {
		return -1
	}
	return certificate.MaxPathLen
}

// keyUsageBits in the order and with the names of RFC 5280.
var keyUsageBits = []string{
	"digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
	"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
}

func keyUsageNames(usage x509.KeyUsage) []string {
	names := []string{}
	for bit, name := range keyUsageBits {
		if usage&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	return names
}

var extKeyUsages = map[x509.ExtKeyUsage]string{
	x509.ExtKeyUsageAny:             "anyExtendedKeyUsage",
	x509.ExtKeyUsageServerAuth:      "serverAuth",
	x509.ExtKeyUsageClientAuth:      "clientAuth",
	x509.ExtKeyUsageCodeSigning:     "codeSigning",
	x509.ExtKeyUsageEmailProtection: "emailProtection",
	x509.ExtKeyUsageTimeStamping:    "timeStamping",
	x509.ExtKeyUsageOCSPSigning:     "OCSPSigning",
}

func extKeyUsageNames(certificate *x509.Certificate) []string {
	names := []string{}
	for _, usage := range certificate.ExtKeyUsage {
		name, known := extKeyUsages[usage]
		if !known {
			name = fmt.Sprintf("go:%d", usage)
		}
		names = append(names, name)
	}
	return append(names, dotted(certificate.UnknownExtKeyUsage)...)
}

func dotted(oids []asn1.ObjectIdentifier) []string {
	texts := []string{}
	for _, oid := range oids {
		texts = append(texts, oid.String())
	}
	return texts
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
