package valuecheck

import (
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// validity is the time in which a certificate is valid.
type validity struct{ notBefore, notAfter time.Time }

var errNoCertificate = errors.New("not a certificate")

// parseValidity reads the validity out of a certificate in DER (RFC 5280, section 4.1). Of the rest it only looks whether it
// is there: package crypto/x509 would check more, but has half a megabyte.
func parseValidity(der []byte) (v validity, err error) {
	var certificate, body, inner cryptobyte.String
	input := cryptobyte.String(der)
	ok := input.ReadASN1(&certificate, asn1.SEQUENCE) && input.Empty() &&
		certificate.ReadASN1(&body, asn1.SEQUENCE) &&
		certificate.SkipASN1(asn1.SEQUENCE) && // signature algorithm
		certificate.SkipASN1(asn1.BIT_STRING) && // signature
		body.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific()) && // version
		body.SkipASN1(asn1.INTEGER) && // serial number
		body.SkipASN1(asn1.SEQUENCE) && // signature algorithm
		body.SkipASN1(asn1.SEQUENCE) && // issuer
		body.ReadASN1(&inner, asn1.SEQUENCE) &&
		readTime(&inner, &v.notBefore) && readTime(&inner, &v.notAfter) && inner.Empty() &&
		body.SkipASN1(asn1.SEQUENCE) && // subject
		body.SkipASN1(asn1.SEQUENCE) // public key
	if !ok {
		return validity{}, errNoCertificate
	}
	return v, nil
}

// readTime reads a time in either of its forms.
func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(asn1.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}
