package valuecheck

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// token finds signed tokens (JWT, RFC 7519) that have expired, or will soon. Their claims are decoded in locked memory, and only the time is
// read.
func token(s secret, o Options) []finding.Finding {
	value := bytes.TrimSpace(s.value)
	value = bytes.TrimPrefix(value, []byte("Bearer "))
	const jsonObject = "eyJ" // {" in Base64
	if !bytes.HasPrefix(value, []byte(jsonObject)) || bytes.Count(value, []byte(".")) != 2 {
		return nil
	}
	_, rest, _ := bytes.Cut(value, []byte("."))
	claims, _, _ := bytes.Cut(rest, []byte("."))
	at, ok := expiry(bytes.TrimRight(claims, "="))
	if !ok {
		return nil
	}
	return s.ends("the token", "token-expired", "token-expires", at, o)
}

// expiry reads exp, seconds since 1970, from claims in Base64.
func expiry(claims []byte) (time.Time, bool) {
	buf, err := lockedmem.New(base64.RawURLEncoding.DecodedLen(len(claims)))
	if err != nil {
		return time.Time{}, false
	}
	defer buf.Destroy()
	n, err := base64.RawURLEncoding.Decode(buf.Bytes(), claims)
	if err != nil {
		return time.Time{}, false
	}
	scanner := jsontext.NewScanner(buf.Bytes()[:n])
	seconds := math.NaN()
	scanner.Object(func(key []byte) {
		if string(key) != "exp" {
			scanner.Skip()
			return
		}
		if number, err := strconv.ParseFloat(string(scanner.Literal()), 64); err == nil {
			seconds = number
		}
	})
	const latest = 253402300799 // the end of the year 9999
	if !scanner.End() || !(seconds >= 0 && seconds <= latest) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
