package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/similar"
	"github.com/mazevault/vault-tool/vaultfile"
)

type historyOptions struct {
	name     string
	keep     int
	maxBytes string
}

// versionJSON is a version of a secret, without its value.
type versionJSON struct {
	Version  uint64                  `json:"version"`
	Time     *string                 `json:"time"` // null where it is not known
	Who      string                  `json:"who"`
	Command  string                  `json:"command"`
	State    vaultfile.VersionState  `json:"state"`
	Origin   vaultfile.VersionOrigin `json:"origin"`
	From     string                  `json:"from"`
	Revision uint64                  `json:"revision"`
}

type historiesJSON struct {
	Secrets []historyJSON `json:"secrets"`
}

type historyJSON struct {
	Name     string        `json:"name"`
	Exists   bool          `json:"exists"`
	Complete bool          `json:"complete"`
	Versions []versionJSON `json:"versions"`
	Earlier  *historyJSON  `json:"earlier,omitempty"` // of the name that the secret had before
}

type historySettings struct {
	VaultFile string `json:"vault_file"`
	Keep      int    `json:"keep"`
	MaxBytes  int64  `json:"max_bytes"`
	ETag      string `json:"etag"`
}

const (
	keepFlag     = "keep"
	maxBytesFlag = "max-bytes"
)

func newHistoryCommand(a *app) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [NAME]",
		Short: "List the versions of secrets, or say how many are kept",
		Long: `List the versions of a secret, or of all secrets: number, time, who, which command, and what there is of the
value. Values are not shown: get NAME --version N prints one.

A version is current, kept, or without a value: deleted (the secret was removed), dropped (the bounds of
the history took the value), destroyed (by destroy), or lost (a program that keeps no history wrote over
it). What such a program wrote is shown as "another program", and its time is when it was noticed.

--keep says how many versions of a secret the vault keeps, the current one among them; 0 turns the history
off and erases it. --max-bytes bounds the old values of one secret; the one before the current stays in any
case. All old values together have at most four times the size of the secrets, 4 MiB or four times
--max-bytes, whichever is the most. The oldest go first.`,
		Example: `  vault-tool history
  vault-tool history SMTP_PASSWORD
  vault-tool history --keep 20 --max-bytes 4MiB`,
		ValidArgsFunction: a.completeOneName,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("give the name of one secret, or none (%d arguments were given)", len(args))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			if err := checkName(args[0]); err != nil { // an empty one is a variable that is not set, and means not all of them
				return err
			}
			o.name = args[0]
		}
		if flags.Changed(keepFlag) || flags.Changed(maxBytesFlag) {
			return a.runHistorySettings(ctx, o, flags.Changed(keepFlag), flags.Changed(maxBytesFlag))
		}
		return a.runHistory(ctx, o.name)
	})
	a.addNames(cmd)
	flags.IntVar(&o.keep, keepFlag, 0, "keep `N` versions of a secret; 0 keeps no history, and erases what there is")
	flags.StringVar(&o.maxBytes, maxBytesFlag, "", "keep old values of one secret up to `SIZE`, such as 1MiB")
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

// withHistory calls f with the vault of the command line and its history.
func (a *app) withHistory(ctx context.Context, f func(*vaultfile.Vault) error) error {
	return a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		v, err := vaultfile.OpenHistory(ctx, a.vaultPath(), u)
		if err != nil {
			return err
		}
		defer v.Close()
		if v.Keeps().Keep == 0 {
			return fmt.Errorf("%s: %w", a.vaultPath(), vaultfile.ErrNoHistory)
		}
		return f(v)
	})
}

func (a *app) runHistory(ctx context.Context, name string) error {
	var full []string
	if name != "" {
		var err error
		if full, err = a.fullNames([]string{name}); err != nil {
			return err
		}
	}
	return a.withHistory(ctx, func(v *vaultfile.Vault) error {
		if name != "" {
			h, err := v.History(full[0])
			if errors.Is(err, vaultfile.ErrNotFound) {
				return a.notInHistory(v, full[0], err)
			}
			if err != nil {
				return err
			}
			return a.printHistory(v, h)
		}
		return a.printHistories(v)
	})
}

// notInHistory is the failure for a name that there never was, as far as the history reaches.
func (a *app) notInHistory(v *vaultfile.Vault, name string, err error) error {
	err = fmt.Errorf("%s: %w", a.vaultPath(), err)
	hint := "vault-tool history lists the names that are known"
	if meant := similar.Name(v.Past(), name); meant != "" && meant != name {
		hint = "did you mean: " + meant
	}
	return &failure{code: exitNotFound, kind: kindOf(err, exitNotFound), err: err, hint: hint}
}

// printHistory prints the versions of a secret, behind those of the name that it had before.
func (a *app) printHistory(v *vaultfile.Vault, h vaultfile.History) error {
	line := a.lineOfNames(v, h)
	if !a.json {
		slices.Reverse(line) // the earliest name first
		return a.printVersions(line, len(line) > 1)
	}
	var nested *historyJSON
	for _, earlier := range slices.Backward(line) {
		shown := historyAsJSON(earlier)
		shown.Earlier = nested
		nested = &shown
	}
	return a.printJSON(nested)
}

// lineOfNames is a secret's history, and those of the names that it had before, from the latest on.
func (a *app) lineOfNames(v *vaultfile.Vault, h vaultfile.History) []vaultfile.History {
	line := []vaultfile.History{h}
	seen := map[string]bool{h.Name: true}
	for {
		from := ""
		for _, version := range line[len(line)-1].Versions {
			if version.From != "" && !seen[version.From] {
				from = version.From
			}
		}
		earlier, err := v.History(from)
		if from == "" || err != nil {
			return line
		}
		seen[from] = true
		line = append(line, earlier)
	}
}

func (a *app) printHistories(v *vaultfile.Vault) error {
	histories := []vaultfile.History{}
	for _, name := range v.Past() {
		if _, ok := a.scope.Cut(name); !ok {
			continue
		}
		h, err := v.History(name)
		if err != nil {
			a.warn("%v", err)
			continue
		}
		histories = append(histories, h)
	}
	if !a.json {
		return a.printVersions(histories, true)
	}
	shown := historiesJSON{Secrets: make([]historyJSON, 0, len(histories))}
	for _, h := range histories {
		shown.Secrets = append(shown.Secrets, historyAsJSON(h))
	}
	return a.printJSON(shown)
}

func historyAsJSON(h vaultfile.History) historyJSON {
	shown := historyJSON{Name: h.Name, Exists: h.Exists(), Complete: h.Complete}
	for _, v := range h.Versions {
		shown.Versions = append(shown.Versions, versionJSON{
			Version: v.Number, Time: timeJSON(v.Time), Who: v.Who, Command: v.Command, State: v.State, Origin: v.Origin, From: v.From, Revision: v.Revision,
		})
	}
	return shown
}

func timeJSON(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}

// printVersions prints a table, a line a version.
func (a *app) printVersions(histories []vaultfile.History, named bool) error {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	head := "VERSION\tTIME\tWHO\tCOMMAND\tVALUE\n"
	if named {
		head = "NAME\t" + head
	}
	fmt.Fprint(table, head)
	for _, h := range histories {
		for _, v := range h.Versions {
			if named {
				fmt.Fprintf(table, "%s\t", h.Name)
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", v.Number, shownTime(v), printable(dash(v.Who)), printable(shownCommand(v)), v.State)
		}
	}
	_ = table.Flush() // to memory
	return a.print(out.Bytes())
}

// timeLayout shows times in UTC: hosts in several zones read one vault.
const timeLayout = "2006-01-02 15:04:05Z"

func shownTime(v vaultfile.Version) string {
	switch {
	case v.Time.IsZero():
		return "not recorded"
	case v.Origin != vaultfile.OriginWritten:
		return "before " + v.Time.UTC().Format(timeLayout)
	}
	return v.Time.UTC().Format(timeLayout)
}

func shownCommand(v vaultfile.Version) string {
	switch {
	case v.Origin == vaultfile.OriginForeign:
		return "another program"
	case v.From != "":
		return v.Command + " from " + v.From
	}
	return dash(v.Command)
}

// dash stands for what is not known in a table.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func (a *app) runHistorySettings(ctx context.Context, o historyOptions, keepGiven, maxGiven bool) error {
	if o.name != "" {
		return badInput("leave the name out", "--keep and --max-bytes are for all secrets of the vault")
	}
	if a.scope.Path != "" {
		return badInput("leave --scope out", "--keep and --max-bytes are for all secrets of the vault")
	}
	if o.keep < 0 {
		return badInput("give a number of versions, or 0 for no history", "--keep takes no negative number")
	}
	var maxBytes int64
	if maxGiven {
		var err error
		if maxBytes, err = parseSize(o.maxBytes); err != nil {
			return err
		}
	}
	s := historySettings{VaultFile: a.vaultPath()}
	before := 0
	var dropped vaultfile.Written
	err := a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("history")}
		written, err := vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
			b := d.Before().Keeps()
			if b.Keep == 0 {
				if !keepGiven {
					return fmt.Errorf("%s: %w", s.VaultFile, vaultfile.ErrNoHistory)
				}
				b = vaultfile.DefaultHistory()
			}
			if keepGiven {
				b.Keep = o.keep
			}
			if maxGiven {
				b.MaxBytes = maxBytes
			}
			if b.Keep == 0 {
				b = vaultfile.HistoryBounds{}
			}
			before = d.Before().Keeps().Keep
			s.Keep, s.MaxBytes = b.Keep, b.MaxBytes
			d.SetHistory(b)
			return nil
		})
		s.ETag, dropped = written.ETag, written
		return err
	})
	if err != nil {
		return leftUnchanged(err)
	}
	a.noteHistory(dropped, "")
	if s.Keep == 0 {
		a.note("%s keeps no history; what there was is erased. Backups made before, and %s files, may still hold old values.", s.VaultFile, vaultfile.BackupSuffix)
	} else {
		if s.Keep < before {
			a.note("What was older than the last %s of a secret is erased, as far as there was any.", count(s.Keep, "version"))
		}
		a.note("%s keeps %s of each secret, and old values of one up to %d bytes", s.VaultFile, count(s.Keep, "version"), s.MaxBytes)
	}
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// sizeUnits are what a size may end with.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"B", 1}, {"", 1}}

// parseSize reads a number of bytes, or of larger units.
func parseSize(text string) (int64, error) {
	for _, unit := range sizeUnits {
		number, ok := cutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err == nil && n >= 0 && n <= vaultfile.MaxFileBytes/unit.bytes {
			return n * unit.bytes, nil
		}
		break
	}
	return 0, badInput("for example 1MiB, 512k or 1048576; at most 1GiB", "--max-bytes takes a size")
}
