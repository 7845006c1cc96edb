package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var updateManual = flag.Bool("update-manual", false, "write docs/vault-tool.1 anew")

const manualPath = "../../docs/vault-tool.1"

// TestManualPage holds the manual page to the help texts that it is made of:
//
//	go test ./cmd/vault-tool -run TestManualPage -update-manual
func TestManualPage(t *testing.T) {
	want := manualPage()
	if *updateManual {
		if err := os.WriteFile(manualPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(manualPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the help texts give; run this test with -update-manual", manualPath)
	}
}

// manualPage is the manual in man(7) macros.
func manualPage() []byte {
	var out bytes.Buffer
	root := newRootCommand(newApp(nil, nil), nil)
	root.InitDefaultHelpFlag()
	fmt.Fprintln(&out, `.TH VAULT\-TOOL 1 `+manualDate)
	fmt.Fprintf(&out, ".SH NAME\nvault\\-tool \\- %s\n", roff(strings.ToLower(root.Short[:1])+root.Short[1:]))
	fmt.Fprintln(&out, ".SH SYNOPSIS\n.B vault\\-tool\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...")
	description, _, _ := strings.Cut(root.Long, exitCodesHelp)
	fmt.Fprintf(&out, ".SH DESCRIPTION\n%s", paragraphs(description))
	fmt.Fprintln(&out, ".SH OPTIONS OF ALL COMMANDS")
	writeFlags(&out, root.PersistentFlags())
	fmt.Fprintln(&out, ".SH COMMANDS")
	for _, cmd := range root.Commands() {
		writeCommand(&out, cmd)
	}
	fmt.Fprintf(&out, ".SH EXIT STATUS\n%s", paragraphs(manualExitStatus()))
	fmt.Fprintf(&out, ".SH ENVIRONMENT\n%s", paragraphs(manualEnvironment))
	fmt.Fprintf(&out, ".SH FILES\n%s", paragraphs(manualFiles))
	fmt.Fprintf(&out, ".SH EXAMPLES\n%s", paragraphs(manualExamples))
	fmt.Fprintf(&out, ".SH SECURITY\n%s", paragraphs(manualSecurity))
	fmt.Fprintf(&out, ".SH SEE ALSO\n%s", paragraphs(manualSeeAlso))
	return out.Bytes()
}

func manualExitStatus() string {
	_, codes, _ := strings.Cut(exitCodesHelp, "\n")
	return codes + "\n\nexec ends as the command it runs, and with 126 or 127 where that cannot be started."
}

func writeCommand(out *bytes.Buffer, cmd *cobra.Command) {
	if !cmd.IsAvailableCommand() {
		return
	}
	use, _ := strings.CutPrefix(cmd.UseLine(), cmd.Root().Name()+" ")
	fmt.Fprintf(out, ".SS %s\n", roff(strings.TrimSuffix(use, " [flags]")))
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	if len(cmd.Aliases) > 0 {
		text += "\n\nAlso: " + strings.Join(cmd.Aliases, ", ") + "."
	}
	out.WriteString(paragraphs(text))
	writeFlags(out, cmd.LocalNonPersistentFlags())
	if cmd.Example != "" {
		fmt.Fprintf(out, ".PP\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	if cmd.Name() != "completion" { // whose commands are the shells
		for _, sub := range cmd.Commands() {
			writeCommand(out, sub)
		}
	}
}

func writeFlags(out *bytes.Buffer, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		argument, usage := pflag.UnquoteUsage(f)
		name := "\\fB" + roff("--"+f.Name) + "\\fR"
		if f.Shorthand != "" {
			name = "\\fB" + roff("-"+f.Shorthand) + "\\fR, " + name
		}
		if argument != "" {
			name += " \\fI" + roff(argument) + "\\fR"
		}
		if !strings.Contains(usage, "(default") && !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(out, ".TP\n%s\n%s\n", name, roff(usage))
	})
}

// aRow is a line of a table: a term, two blanks or more, and what it means.
var aRow = regexp.MustCompile(`^  (\S+(?: \S+)*)  +(\S.*)$`)

// paragraphs turns blank lines into paragraphs, tables into tagged ones, and other lines that begin with blanks into examples, which
// stand as they are. A line that begins with more blanks than a row goes on with its meaning.
func paragraphs(text string) string {
	var out strings.Builder
	example, row := false, false
	end := func() {
		if example {
			out.WriteString(".fi\n")
		}
		example = false
	}
	for _, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		parts := aRow.FindStringSubmatch(line)
		switch {
		case parts != nil && !example:
			fmt.Fprintf(&out, ".TP\n\\fB%s\\fR\n%s\n", roff(parts[1]), roff(parts[2]))
			row = true
		case row && strings.HasPrefix(line, "   "):
			out.WriteString(roff(strings.TrimSpace(line)) + "\n")
		case strings.HasPrefix(line, "  "):
			if !example {
				out.WriteString(".PP\n.nf\n")
			}
			example, row = true, false
			out.WriteString(roff(line) + "\n")
		case line == "":
			end()
			row = false
			out.WriteString(".PP\n")
		default:
			end()
			if row {
				out.WriteString(".PP\n")
			}
			row = false
			out.WriteString(roff(line) + "\n")
		}
	}
	end()
	// A table or an example brings its own distance.
	return strings.NewReplacer(".PP\n.PP\n", ".PP\n", ".PP\n.TP\n", ".TP\n").Replace(out.String())
}

// roff escapes what means something to roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "`", `\(ga`, "~", `\(ti`, "^", `\(ha`, "'", `\(aq`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// TestManualIsWhole: every command, flag, exit code and variable is there, and every section.
func TestManualIsWhole(t *testing.T) {
	page := string(manualPage())
	want := func(what, text string) {
		t.Helper()
		if !strings.Contains(page, text) {
			t.Errorf("the manual lacks %s: %q", what, text)
		}
	}
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS OF ALL COMMANDS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SECURITY", "SEE ALSO"} {
		want("a section", ".SH "+section+"\n")
	}
	for _, c := range commands {
		cmd := c.construct(newApp(nil, nil))
		want("a command", ".SS "+roff(c.name))
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				want("a flag of "+c.name, "\\fB"+roff("--"+f.Name)+"\\fR")
			}
		})
	}
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitNotFound, exitCannotOpen, exitInsecure, exitConflict, exitBusy, exitInterrupted} {
		want("an exit code", fmt.Sprintf(".TP\n\\fB%d\\fR\n", code))
	}
	for _, name := range []string{vaultFileEnv, keyFileEnv, azureURLEnv, azureSecretEnv, keyCacheEnv, argon2Env, notifySocketEnv, "NO_COLOR"} {
		want("a variable", ".TP\n\\fB"+name+"\\fR\n")
	}
	if strings.Contains(page, `\fI\fR`) {
		t.Error("a flag without an argument has an empty one")
	}
	for i, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "  ") {
			t.Errorf("line %d begins with a blank: %q", i+1, line)
		}
	}
}

// TestManualRenders without a warning, where there is a program that checks.
func TestManualRenders(t *testing.T) {
	path, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed")
	}
	out, err := exec.Command(path, "-T", "lint", "-W", "warning", manualPath).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCommandNames: a command line that begins with a command's name gets that command.
func TestCommandNames(t *testing.T) {
	for _, c := range commands {
		root := newRootCommand(newApp(nil, nil), []string{c.name})
		if found, _, err := root.Find([]string{c.name}); err != nil || found.Name() != c.name {
			t.Errorf("%s: found %v, %v", c.name, found, err)
		}
	}
}
