package valuecheck

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

// TestParseValidity compares it with crypto/x509, for times in both forms.
func TestParseValidity(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, ends := range []time.Time{time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2061, 1, 2, 3, 4, 5, 0, time.UTC)} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: ends, DNSNames: []string{"a.example"}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		v, err := parseValidity(der)
		if err != nil || !v.notBefore.Equal(template.NotBefore) || !v.notAfter.Equal(ends) {
			t.Errorf("%s: got %v, error %v", ends, v, err)
		}
		for n := range der {
			if _, err := parseValidity(der[:n]); err == nil {
				t.Errorf("%d bytes of %d are a certificate", n, len(der))
			}
		}
		if _, err := parseValidity(append(bytes.Clone(der), 0)); err == nil {
			t.Error("with a byte more it is one")
		}
		for i := range der { // whatever stands there, what both read is the same
			damaged := bytes.Clone(der)
			damaged[i] ^= 1
			v, err := parseValidity(damaged)
			if c, x509Err := x509.ParseCertificate(damaged); x509Err == nil && (err != nil || !v.notAfter.Equal(c.NotAfter) || !v.notBefore.Equal(c.NotBefore)) {
				t.Errorf("byte %d changed: got %v, error %v", i, v, err)
			}
		}
	}
}
