// Package drop seals a secret to the public half of a key whose private half is in a vault, so that somebody can hand it in who can read
// nothing there. docs/format.md ("Drops") specifies keys and drops.
//
// A drop is HPKE (RFC 9180) in base mode: it says nothing of who sealed it. Private keys and values pass through the heap of the standard
// library; callers erase it.
package drop

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// The types of the PEM blocks (RFC 7468).
const (
	publicType = "VAULT-TOOL DROP KEY"
	dropType   = "VAULT-TOOL DROP"
)

const (
	formatVersion = 1
	keyIDBytes    = 8
	idBytes       = 16
	infoLabel     = "MVT1 drop v1\x00"

	// headBytes stand before the name: the version, the ids of key and drop, and the length of the name.
	headBytes = 1 + keyIDBytes + idBytes + 1
)

// Errors to branch on with errors.Is.
var (
	// ErrKey: a text that is not the public half of a key for drops.
	ErrKey = errors.New("not a public key for drops")

	// ErrDrop: a text that is no drop.
	ErrDrop = errors.New("not a drop")

	// ErrOpen: the drop is damaged, or was not sealed to this key.
	ErrOpen = errors.New("the drop cannot be opened")
)

func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// PublicKey is what drops are sealed to.
type PublicKey struct {
	key   hpke.PublicKey
	bytes []byte
}

// PrivateKey opens drops.
type PrivateKey struct {
	key    hpke.PrivateKey
	Public PublicKey
}

// Generate makes a key.
func Generate() (PrivateKey, error) {
	key, err := kem().GenerateKey()
	if err != nil {
		return PrivateKey{}, err
	}
	return privateKey(key), nil
}

// NewPrivateKey is the key with the given bytes.
func NewPrivateKey(secret []byte) (PrivateKey, error) {
	key, err := kem().NewPrivateKey(secret)
	if err != nil {
		return PrivateKey{}, err
	}
	return privateKey(key), nil
}

func privateKey(key hpke.PrivateKey) PrivateKey {
	public := key.PublicKey()
	return PrivateKey{key, PublicKey{public, public.Bytes()}}
}

// Bytes are what NewPrivateKey takes, for the caller to wipe.
func (k PrivateKey) Bytes() ([]byte, error) { return k.key.Bytes() }

// ID tells keys apart: the beginning of the public half's SHA-256, in hexadecimal.
func (k PublicKey) ID() string {
	sum := sha256.Sum256(k.bytes)
	return hex.EncodeToString(sum[:keyIDBytes])
}

// Fingerprint is the public half's SHA-256, for people to compare.
func (k PublicKey) Fingerprint() string {
	sum := sha256.Sum256(k.bytes)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Text is the public half as PEM.
func (k PublicKey) Text() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: k.bytes})
}

// ParsePublicKey reads what Text wrote, whatever text stands around it. The error is ErrKey.
func ParsePublicKey(text []byte) (PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != publicType {
		return PublicKey{}, ErrKey
	}
	key, err := kem().NewPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return PublicKey{key, block.Bytes}, nil
}

// Drop is a sealed secret.
type Drop struct {
	KeyID string // of the key that it is sealed to
	ID    string // of the drop, in hexadecimal: drawn at random
	Name  string // of the secret; it is bound to the value

	sealed []byte
}

// Seal seals a secret to a key. A name has at most 255 bytes.
func Seal(to PublicKey, name string, value []byte) (*Drop, error) {
	var id [idBytes]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	d := &Drop{KeyID: to.ID(), ID: hex.EncodeToString(id[:]), Name: name}
	var err error
	d.sealed, err = hpke.Seal(to.key, hpke.HKDFSHA256(), hpke.AES256GCM(), d.info(), value)
	return d, err
}

// Open returns the value, for the caller to wipe. The error is ErrOpen.
func (d *Drop) Open(k PrivateKey) ([]byte, error) {
	value, err := hpke.Open(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), d.info(), d.sealed)
	if err != nil {
		return nil, ErrOpen
	}
	return value, nil
}

// info is the label, the id of the drop and the name.
func (d *Drop) info() []byte {
	id, _ := hex.DecodeString(d.ID) // encoded here
	return append(append([]byte(infoLabel), id...), d.Name...)
}

// Text is the drop as PEM: lines that mail leaves alone.
func (d *Drop) Text() []byte {
	keyID, _ := hex.DecodeString(d.KeyID)
	id, _ := hex.DecodeString(d.ID)
	body := append([]byte{formatVersion}, keyID...)
	body = append(body, id...)
	body = append(body, byte(len(d.Name)))
	body = append(body, d.Name...)
	return pem.EncodeToMemory(&pem.Block{Type: dropType, Bytes: append(body, d.sealed...)})
}

// Parse reads all drops of a text, in their order. The error is ErrDrop, also for a text without any.
func Parse(text []byte) ([]*Drop, error) {
	var drops []*Drop
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			if len(drops) == 0 || bytes.Contains(rest, []byte("-----BEGIN "+dropType)) {
				return nil, ErrDrop // nothing, or one that was cut short or damaged
			}
			return drops, nil
		}
		text = rest
		d, err := parse(block)
		if err != nil {
			return nil, err
		}
		drops = append(drops, d)
	}
}

func parse(block *pem.Block) (*Drop, error) {
	body := block.Bytes
	if block.Type != dropType || len(body) < headBytes {
		return nil, ErrDrop
	}
	if body[0] != formatVersion {
		return nil, fmt.Errorf("%w of this version: a later vault-tool made it", ErrDrop)
	}
	nameBytes := int(body[headBytes-1])
	if len(body) < headBytes+nameBytes {
		return nil, ErrDrop
	}
	return &Drop{
		KeyID:  hex.EncodeToString(body[1 : 1+keyIDBytes]),
		ID:     hex.EncodeToString(body[1+keyIDBytes : 1+keyIDBytes+idBytes]),
		Name:   string(body[headBytes : headBytes+nameBytes]),
		sealed: body[headBytes+nameBytes:],
	}, nil
}
