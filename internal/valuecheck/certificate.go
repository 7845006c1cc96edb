package valuecheck

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/mazevault/vault-tool/internal/finding"
)

// The lines around a certificate (RFC 7468, section 5).
const (
	certificateBegin = "-----BEGIN CERTIFICATE-----"
	certificateEnd   = "-----END CERTIFICATE-----"
)

// certificates finds certificates that have expired, or will soon. Only what stands between the lines of a certificate is decoded, which
// everybody may see: of a private key in the same value nothing is copied.
func certificates(s secret, o Options) []finding.Finding {
	bodies := certificateBodies(s.value)
	var found []finding.Finding
	for i, body := range bodies {
		which := "the certificate"
		if len(bodies) > 1 {
			which = fmt.Sprintf("certificate %d of %d", i+1, len(bodies))
		}
		c, err := parseCertificate(body)
		if err != nil {
			found = append(found, s.of(finding.Warn, "certificate-damaged", which+" cannot be read", "")...)
			continue
		}
		found = append(found, s.ends(which, "certificate-expired", "certificate-expires", c.notAfter, o)...)
		if c.notBefore.After(o.Now) {
			found = append(found, s.of(finding.Warn, "certificate-early", which+" is not valid before "+c.notBefore.UTC().Format(time.DateOnly), "")...)
		}
	}
	return found
}

// certificateBodies returns what stands between the lines of certificates, in one pass: each end belongs to the last beginning before it.
func certificateBodies(value []byte) (bodies [][]byte) {
	for {
		before, behind, ok := bytes.Cut(value, []byte(certificateEnd))
		if !ok {
			return bodies
		}
		if at := bytes.LastIndex(before, []byte(certificateBegin)); at >= 0 {
			if body := before[at+len(certificateBegin):]; !bytes.Contains(body, []byte("-----")) { // or another text begins within it
				bodies = append(bodies, body)
			}
		}
		value = behind
	}
}

// parseCertificate reads what stands between the lines of one, with newlines as they are or escaped, as in JSON.
func parseCertificate(body []byte) (validity, error) {
	text := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\' && i+1 < len(body) && (body[i+1] == 'n' || body[i+1] == 'r'):
			i++
		case c > ' ':
			text = append(text, c)
		}
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	if err != nil {
		return validity{}, err
	}
	return parseValidity(der[:n])
}

// ends is about something that is valid up to a time.
func (s secret) ends(which, ended, ending string, at time.Time, o Options) []finding.Finding {
	switch date := at.UTC().Format(time.DateOnly); {
	case !at.After(o.Now):
		return s.of(finding.Error, ended, which+" expired on "+date, "")
	case at.Sub(o.Now) <= o.ExpiresWithin:
		return s.of(finding.Warn, ending, which+" expires on "+date, "")
	}
	return nil
}
