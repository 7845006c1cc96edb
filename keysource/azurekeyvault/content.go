package azurekeyvault

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/keysource"
)

// encodingTag is the tag by which `az keyvault secret set --file --encoding` says how it stored a file.
const encodingTag = "file-encoding"

// content moves the value of an answer to locked memory and decodes it. The answer's own copy is a
// string, which only the collector may take away: a program that writes to one can end with a fault.
func (s *Source) content(secret azsecrets.Secret) (*lockedmem.Buffer, error) {
	content, err := decode(secret, time.Now())
	if err != nil {
		return nil, &Error{Address: s.String(), Reason: err}
	}
	return content, nil
}

func decode(secret azsecrets.Secret, now time.Time) (*lockedmem.Buffer, error) {
	if err := checkValid(secret.Attributes, now); err != nil {
		return nil, err
	}
	if secret.Value == nil {
		return nil, fmt.Errorf("%w: the vault's answer has no value", ErrUnexpected)
	}
	if len(*secret.Value) > keysource.MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", keysource.ErrTooLarge, keysource.MaxBytes)
	}
	text, err := lockedmem.New(len(*secret.Value))
	if err != nil {
		return nil, err
	}
	copy(text.Bytes(), *secret.Value)
	encoding := ""
	if tag := secret.Tags[encodingTag]; tag != nil {
		encoding = strings.ToLower(*tag)
	}
	switch encoding {
	case "base64":
		return decodeWith(text, base64.StdEncoding.DecodedLen(text.Len()), base64.StdEncoding.Decode, "base64")
	case "hex":
		return decodeWith(text, hex.DecodedLen(text.Len()), hex.Decode, "hex")
	case "utf-16le", "utf-16be":
		text.Destroy()
		return nil, fmt.Errorf("%w: stored with the encoding %s the file's bytes are lost; store it again with --encoding base64",
			ErrEncoding, encoding)
	}
	return text, nil
}

// decodeWith decodes text into a new buffer of at most size bytes and destroys text.
func decodeWith(text *lockedmem.Buffer, size int, decode func(dst, src []byte) (int, error), name string) (*lockedmem.Buffer, error) {
	defer text.Destroy()
	decoded, err := lockedmem.New(size)
	if err != nil {
		return nil, err
	}
	n, err := decode(decoded.Bytes(), text.Bytes())
	if err != nil { // its text can quote a byte of the secret
		decoded.Destroy()
		return nil, fmt.Errorf("%w: its tag %s says %s, and it is not", ErrEncoding, encodingTag, name)
	}
	decoded.Truncate(n)
	return decoded, nil
}

// checkValid refuses a secret outside its dates. Key Vault itself hands it out all the same.
func checkValid(a *azsecrets.SecretAttributes, now time.Time) error {
	switch {
	case a == nil:
		return nil
	case a.Enabled != nil && !*a.Enabled:
		return fmt.Errorf("%w: enable it", ErrSecretDisabled)
	case a.Expires != nil && !now.Before(*a.Expires):
		return fmt.Errorf("%w: it expired on %s; give it a later date of expiry, or a new version",
			ErrSecretDisabled, a.Expires.UTC().Format(time.RFC3339))
	case a.NotBefore != nil && now.Before(*a.NotBefore):
		return fmt.Errorf("%w: it is not valid before %s", ErrSecretDisabled, a.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// rawResponse is the answer as it came, kept to be wiped.
type rawResponse struct{ response *http.Response }

// wipe overwrites the body that the SDK has downloaded.
func (r *rawResponse) wipe() {
	if r.response == nil {
		return
	}
	if body, err := runtime.Payload(r.response); err == nil {
		clear(body)
	}
}
