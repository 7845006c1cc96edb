package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/checkup"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/inventory"
	"github.com/mazevault/vault-tool/internal/valuecheck"
	"github.com/mazevault/vault-tool/vaultfile"
)

// examineContent opens the vault and looks at what is in it, unless what was found of the host says that this would end the process. A vault or
// key that cannot be opened is a finding; checked is false then.
func (a *app) examineContent(ctx context.Context, host *checkup.Host, ofHost []finding.Finding, limits doctorLimits) (found []finding.Finding, checked bool, err error) {
	if slices.ContainsFunc(ofHost, func(f finding.Finding) bool { return f.Check == checkup.CgroupMemory }) {
		return nil, false, nil
	}
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		v, err := vaultfile.OpenHistory(ctx, a.vaultPath(), u)
		if err != nil {
			return err
		}
		defer v.Close()
		pause("open")
		found, err = a.examineVault(v, host, limits)
		return err
	})
	if err == nil {
		return append(a.aboutKey(), found...), true, nil
	}
	o := describe(err)
	misused := o.kind == kindsOfCodes[exitUsage] && a.azure != (azureOptions{}) // else it is the environment that cannot be used
	if o.code == exitInterrupted || misused {
		return nil, false, err
	}
	return append(a.aboutKey(), a.notOpened(o, host)), false, nil
}

func (a *app) examineVault(v *vaultfile.Vault, host *checkup.Host, limits doctorLimits) ([]finding.Finding, error) {
	found, err := valuecheck.Examine(v, valuecheck.Options{Now: time.Now(), ExpiresWithin: limits.expiresWithin, Tool: a.commandLine})
	if err != nil {
		return nil, err
	}
	if limits.ages {
		found = append(found, a.oldValues(v, limits.olderThan)...)
	}
	i, err := inventory.Of(v)
	if err != nil {
		return nil, err
	}
	if len(i.NotAllowed) > 0 {
		found = append(found, finding.Finding{
			Severity: finding.Warn, Check: "name-not-allowed", Where: i.NotAllowed,
			What: "an earlier version allowed these names; this one keeps the secrets, and neither shows nor delivers them",
		})
	}
	if len(i.Unknown) > 0 {
		found = append(found, finding.Finding{
			Severity: finding.Info, Check: "entry-unknown", Where: i.Unknown,
			What: "entries of a later version of vault-tool, or damaged ones: they are kept as they are",
		})
	}
	return append(found, host.MovedNames(v.Has)...), nil
}

// oldValues are those that nobody has changed for so long.
func (a *app) oldValues(v *vaultfile.Vault, least time.Duration) []finding.Finding {
	if v.Keeps().Keep == 0 {
		return []finding.Finding{{
			Severity: finding.Info, Check: "value-ages-unknown", Where: []string{a.vaultPath()}, Mend: a.commandLine("history --keep 10"),
			What: "the vault keeps no history, so that nobody knows how old its values are",
		}}
	}
	var found []finding.Finding
	now := time.Now()
	for _, name := range v.Names() {
		s, err := a.listSecret(v, name, now)
		if err != nil || s.AgeSeconds == nil || s.age < least {
			continue
		}
		found = append(found, finding.Finding{
			Severity: finding.Warn, Check: "value-old", Where: []string{name}, Mend: a.commandLine("add " + name),
			What: fmt.Sprintf("the value is %s old", s.shownAge()),
		})
	}
	return found
}

// notOpened is about a vault that could not be opened, by how that would be told as an error.
func (a *app) notOpened(o outcome, host *checkup.Host) finding.Finding {
	f := finding.Finding{
		Severity: finding.Error, Check: strings.ReplaceAll(o.kind, "_", "-"), Where: []string{a.vaultPath()},
		What: o.message + "; the content was not looked at",
	}
	if o.hint != "" {
		f.What += " (" + o.hint + ")"
	}
	switch o.kind {
	case kindsOfCodes[exitUsage]:
		f.Check, f.Where = "variable-unusable", []string{checkup.AzureVariable}
	case kindKeyNotFound:
		f.Severity, f.Where = finding.Warn, []string{a.keyName()} // it may be elsewhere, as it should be on a host that only keeps backups
	case kindKeyPermissions:
		f.Where, f.Insecure = []string{a.keyName()}, true
		if host.Key != "" { // which has been told
			f.Severity, f.Insecure = finding.Info, false
		}
	}
	return f
}

// aboutKey are findings about the key that come with its use.
func (a *app) aboutKey() []finding.Finding {
	var found []finding.Finding
	switch r := a.successor; {
	case r.Opened != "":
		found = append(found, finding.Finding{
			Severity: finding.Error, Check: "rotation-half-done", Where: []string{r.Opened},
			What: fmt.Sprintf("%s does not open the vault, but %s does: the last step of a rotation is missing", a.keyName(), r.Opened),
			Mend: a.commandLine("rotate-key --in-place"),
		})
	case r.Err != nil:
		found = append(found, finding.Finding{
			Severity: finding.Error, Check: "rotation-key-refused", Insecure: true, Where: []string{a.keyName()},
			What: "a key for a rotation is there and is not used: " + r.Err.Error(),
		})
	}
	if a.warnedShort {
		found = append(found, finding.Finding{
			Severity: finding.Warn, Check: "key-short", Insecure: true, Where: []string{a.keyName()},
			What: "the key is so short that it can be guessed", Mend: a.commandLine("rotate-key --in-place"),
		})
	}
	return found
}
