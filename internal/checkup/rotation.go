package checkup

import (
	"context"
	"fmt"
	"time"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/shellword"
)

// RotationBegun is the check for a new key beside the present one. Whoever opens the vault with the new key knows more.
const RotationBegun = "rotation-begun"

// rotationUnderWay looks for the keys that a rotation leaves beside the present one.
func rotationUnderWay(_ context.Context, h *Host) []finding.Finding {
	var found []finding.Finding
	var old []string
	for _, f := range h.beside() {
		switch f.Kind {
		case beside.NewKey:
			found = append(found, finding.Finding{
				Severity: finding.Warn, Check: RotationBegun, Where: []string{f.Path},
				What: "a new key stands beside the present one: a rotation is under way, or was left half done; the command goes on with it",
				Mend: h.Tool("rotate-key --in-place"),
			})
		case beside.OldKey:
			old = append(old, f.Path)
		}
	}
	if len(old) > 0 {
		found = append(found, finding.Finding{
			Severity: finding.Info, Check: "old-keys", Where: old,
			What: fmt.Sprintf("earlier keys (%d): backups from before a rotation need them; remove them when none of these is left", len(old)),
		})
	}
	return found
}

// oldEnough is how old a temporary file is that no writer is at work on: the longest write takes seconds.
const oldEnough = time.Minute

// leftovers looks for what killed writers left, and for what another program wrote at the moment of a write.
func leftovers(_ context.Context, h *Host) []finding.Finding {
	var found []finding.Finding
	for _, f := range h.beside() {
		switch {
		case f.Kind == beside.Temporary && time.Since(f.Info.ModTime()) > oldEnough:
			found = append(found, finding.Finding{
				Severity: finding.Info, Check: "temporary-file", Where: []string{f.Path},
				What: "a writer that was killed left this file; the next write to " + f.Of + " removes it",
				Mend: "rm " + shellword.Path(f.Path),
			})
		case f.Kind == beside.Displaced:
			found = append(found, finding.Finding{
				Severity: finding.Warn, Check: "displaced-file", Where: []string{f.Path},
				What: "another program wrote " + f.Of + " at the moment at which a command did; this is what it wrote, and nothing else has it",
				Mend: "vault-tool inspect " + shellword.Path(f.Path),
			})
		}
	}
	return found
}
