package keysource

import "bytes"

// Irregularities tells what makes a passphrase look like one that was not meant to be so: a byte order mark, a
// second line, a trailing blank. An editor or a copy may have put them there. They are part of the passphrase all the
// same. The words are for messages and hold nothing of the passphrase.
func Irregularities(passphrase []byte) []string {
	var found []string
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} { // UTF-8, UTF-16 either way
		if bytes.HasPrefix(passphrase, []byte(mark)) {
			found = append(found, "a byte order mark")
		}
	}
	if bytes.ContainsAny(passphrase, "\n") {
		found = append(found, "a second line")
	}
	if last := bytes.TrimRight(passphrase, " \t\r"); len(last) < len(passphrase) {
		found = append(found, "a trailing blank")
	}
	return found
}
