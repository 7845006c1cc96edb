//go:build unix

package supervise

import (
	"bytes"
	"slices"
	"testing"
)

func TestEnvironmentThroughSocket(t *testing.T) {
	for _, environment := range [][]string{{}, {"A=1"}, {"A=", "B=x=y\nz", "=odd", ""}} {
		var socket bytes.Buffer
		if err := writeEnvironment(&socket, environment); err != nil {
			t.Fatal(err)
		}
		for cut := range socket.Len() {
			if _, err := readEnvironment(bytes.NewReader(socket.Bytes()[:cut])); err == nil {
				t.Errorf("%d bytes of %d are taken for a whole environment", cut, socket.Len())
			}
		}
		block, err := readEnvironment(&socket)
		if err != nil {
			t.Fatal(err)
		}
		if got := variables(block.Bytes()); !slices.Equal(got, environment) {
			t.Errorf("%q, want %q", got, environment)
		}
		block.Destroy()
	}
}

// TestSessionByHand: somebody who starts the program as a leader gets nothing of it.
func TestSessionByHand(t *testing.T) {
	for _, args := range [][]string{nil, {"1"}, {"x", "1", "/bin/true", "true"}, {"1", "x", "/bin/true", "true"}} {
		if code := Session(args); code != 2 {
			t.Errorf("%q: %d", args, code)
		}
	}
}
