package vaultfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"os"
	"path/filepath"
	"testing"
)

// TestSealLayout takes a sealed file apart by the numbers of the specification and decrypts it with the
// standard library alone.
func TestSealLayout(t *testing.T) {
	k := fuzzKey(t)
	copy(k.salt[:], "0123456789abcdef")
	payload := []byte(`{"A":"1"}`)
	file, err := seal(k, payload)
	if err != nil {
		t.Fatal(err)
	}
	if len(file) != 48+len(payload) || string(file[:20]) != "MVT10123456789abcdef" {
		t.Errorf("%d bytes, beginning with %q", len(file), file[:20])
	}
	block, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := aead.Open(nil, file[20:32], file[32:], nil); err != nil || !bytes.Equal(got, payload) {
		t.Errorf("%q, %v", got, err)
	}
	again, err := seal(k, payload)
	if err != nil || nonceOf(again) == nonceOf(file) {
		t.Errorf("one nonce was drawn twice (%v)", err)
	}
}

func TestVerifySealed(t *testing.T) {
	k, payload := fuzzKey(t), []byte(`{"A":"1"}`)
	whole, err := seal(k, payload)
	if err != nil {
		t.Fatal(err)
	}
	other, err := seal(k, []byte(`{"A":"2"}`))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for _, test := range []struct {
		name string
		file []byte
		want error
	}{
		{"equal", whole, nil},
		{"other content", other, ErrVerify},
		{"flipped bit", flipped, ErrVerify},
		{"cut", whole[:len(whole)-1], ErrVerify},
		{"empty", nil, ErrVerify},
	} {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, test.file)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifySealed(k, payload)(f); (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		} else if err != nil {
			wantError(t, err, test.want)
		}
		_ = f.Close() // read-only
	}
}
