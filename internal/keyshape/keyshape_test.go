package keyshape

import (
	"strings"
	"testing"
)

func TestIsMadeByInit(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]bool{
		digits: true, digits + "\n": true, digits + "\r\n": false, digits + "\n\n": false, digits[1:] + "\n": false, digits + "0\n": false,
		strings.ToUpper(digits): false, digits[:63] + "g": false, "": false, "\n": false,
	} {
		if got := IsMadeByInit([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
