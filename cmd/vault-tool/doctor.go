package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/checkup"
	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/shellword"
)

type doctorOptions struct {
	failOn        string
	expiresWithin string
	olderThan     string
}

// doctorLimits are the options, read.
type doctorLimits struct {
	fail          finding.Severity
	expiresWithin time.Duration
	ages          bool          // look at ages:
	olderThan     time.Duration // at least so old
}

// examination is what doctor tells.
type examination struct {
	VaultFile string        `json:"vault_file"`
	Key       string        `json:"key"`
	Content   bool          `json:"content_checked"`
	Findings  []findingJSON `json:"findings"`
	Errors    int           `json:"errors"`
	Warnings  int           `json:"warnings"`
	Infos     int           `json:"infos"`
}

type findingJSON struct {
	Severity finding.Severity `json:"severity"`
	Check    string           `json:"check"`
	What     string           `json:"what"`
	Where    []string         `json:"where"`
	Mend     string           `json:"mend"` // "" where there is no single command
	Insecure bool             `json:"insecure"`
}

func newDoctorCommand(a *app) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine host, files and values, and say what mends them",
		Long: `Examine the vault, its key and the host that they are on, and print what is found: how bad it is, what, where, and
the command that mends it. Nothing is changed, and nothing of a value is printed.

  files     who may touch the key, the vault and the directories that lead to
            them; keys beside backups or in git; what a .env still holds
  state     a rotation left half done, what killed commands left, variables
            that lead elsewhere
  host      memory that cannot be locked, swap space, core dumps, the memory
            of the control group
  content   blanks, placeholders, easily guessed or shared values, old ones,
            certificates and tokens that have expired or soon will

Without a key the content is not looked at, which is a finding too.

The exit code is 0 where nothing was found, or nothing as bad as --fail-on says; 5 if it lets somebody in (permissions,
owners, a key in git or beside backups), else 1.`,
		Example: "  vault-tool doctor\n  vault-tool doctor --fail-on warn --older-than 365d\n  vault-tool doctor --json",
		Args:    noArgumentsBut("the vault is given with --vault-file"),
		RunE:    a.flushedAction(func(ctx context.Context, _ []string) error { return a.runDoctor(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.failOn, "fail-on", string(finding.Error), "the `SEVERITY` from which on the exit code is not 0: error or warn")
	flags.StringVar(&o.expiresWithin, "expires-within", "30d", "tell of certificates and tokens that expire within `TIME`")
	flags.StringVar(&o.olderThan, "older-than", "", "tell of values that are at least so old: `AGE` as 365d")
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]string{string(finding.Error), string(finding.Warn)}, cobra.ShellCompDirectiveNoFileComp)) // fails for an unknown flag only
	return cmd
}

func (a *app) runDoctor(ctx context.Context, o doctorOptions) error {
	limits, err := o.limits()
	if err != nil {
		return err
	}
	host := a.host()
	found := host.Examine(ctx)
	content, checked, err := a.examineContent(ctx, host, found, limits)
	if err := cmp.Or(ctx.Err(), err); err != nil {
		return err
	}
	if a.successor.Opened != "" { // which is told as such
		found = slices.DeleteFunc(found, func(f finding.Finding) bool {
			return f.Check == checkup.RotationBegun && slices.Contains(f.Where, a.successor.Opened)
		})
	}
	found = append(found, content...)
	slices.SortStableFunc(found, func(a, b finding.Finding) int { return b.Severity.Level() - a.Severity.Level() })
	if err := a.printFindings(found, checked); err != nil {
		return err
	}
	return judge(found, limits.fail)
}

func (o doctorOptions) limits() (l doctorLimits, err error) {
	switch l.fail = finding.Severity(o.failOn); l.fail {
	case finding.Error, finding.Warn:
	default:
		return l, badInput("--fail-on error or --fail-on warn", "--fail-on takes error or warn")
	}
	if l.expiresWithin, err = parseAge("--expires-within", o.expiresWithin); err != nil {
		return l, err
	}
	if l.ages = o.olderThan != ""; l.ages {
		l.olderThan, err = parseAge("--older-than", o.olderThan)
	}
	return l, err
}

// host is the one that the tool runs on.
func (a *app) host() *checkup.Host {
	key := a.keyPath()
	if a.azureURL() != "" || descriptor.Named(key) {
		key = ""
	}
	directory, _ := os.Getwd() // "" is the working directory as well
	return &checkup.Host{
		Vault: a.vaultPath(), Key: key, Tool: a.commandLine, Caller: uint32(os.Geteuid()), Parent: os.Getppid(), Getenv: a.getenv, Directory: directory,
		Named: checkup.Named{Vault: a.vaultFlag != "", Key: a.keyFlag != "" || a.azure.url != ""},
		Root:  os.DirFS("/"), CanLock: lockedmem.CanLock,
	}
}

// commandLine is one of vault-tool for the vault and key of this one.
func (a *app) commandLine(arguments string) string {
	line := "vault-tool " + arguments
	for _, flag := range []struct{ name, value string }{
		{"vault-file", a.vaultFlag}, {"key-file", a.keyFlag}, {"akv-url", a.azure.url}, {"akv-secret", a.azure.secret},
	} {
		if flag.value != "" {
			line += " --" + flag.name + " " + shellword.Quote(flag.value)
		}
	}
	return line
}

func (a *app) printFindings(found []finding.Finding, contentChecked bool) error {
	e := examination{VaultFile: a.vaultPath(), Key: a.keyName(), Content: contentChecked, Findings: []findingJSON{}}
	var text bytes.Buffer
	for _, f := range found {
		e.Findings = append(e.Findings, findingJSON(f))
		switch f.Severity {
		case finding.Error:
			e.Errors++
		case finding.Warn:
			e.Warnings++
		default:
			e.Infos++
		}
		const indent = "\n       "
		fmt.Fprintf(&text, "%-5s  %s: %s%s%s\n", f.Severity, f.Check, printable(shortList(f.Where)), indent, printable(f.What))
		if f.Mend != "" {
			fmt.Fprintf(&text, "%srun: %s\n", indent[1:], printable(f.Mend))
		}
	}
	if a.json {
		return a.printJSON(e)
	}
	if err := a.print(text.Bytes()); err != nil {
		return err
	}
	told := "nothing was found"
	if len(found) > 0 {
		told = "found: " + strings.Join([]string{count(e.Errors, "error"), count(e.Warnings, "warning"), count(e.Infos, "remark")}, ", ")
	}
	a.note("%s", told)
	return nil
}

// judge returns nil where nothing is as bad as that.
func judge(found []finding.Finding, least finding.Severity) error {
	bad, insecure := 0, 0
	for _, f := range found {
		if f.Severity.Level() < least.Level() {
			continue
		}
		bad++
		if f.Insecure {
			insecure++
		}
	}
	const hint = "what was found stands above, each with the command that mends it, where there is one"
	switch {
	case insecure > 0:
		return &failure{code: exitInsecure, err: fmt.Errorf("%s to be mended, %d of them insecure", count(bad, "finding"), insecure), hint: hint}
	case bad > 0:
		return &failure{code: exitFailed, kind: kindFindings, err: fmt.Errorf("%s to be mended", count(bad, "finding")), hint: hint}
	}
	return nil
}
