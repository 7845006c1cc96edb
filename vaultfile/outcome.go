package vaultfile

// Outcome says what was done to a secret or a vault.
type Outcome string

// The outcomes of setting a secret ([Draft.Set]) and of writing a vault ([Create]).
const (
	Added     Outcome = "added"     // a secret that was not there
	Updated   Outcome = "updated"   // a secret that had another value
	Created   Outcome = "created"   // a vault that was not there
	Replaced  Outcome = "replaced"  // a vault that had another content
	Unchanged Outcome = "unchanged" // either, with nothing to do
)
