package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
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
	fmt.Fprintln(&out, `.TH VAULT\-TOOL 1`)
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
	heading, codes, _ := strings.Cut(exitCodesHelp, "\n")
	fmt.Fprintf(&out, ".SH EXIT STATUS\n%s\n.nf\n%s\n.fi\n", roff(heading), roff(codes))
	fmt.Fprintln(&out, roff("exec ends as the command it runs, and with 126 or 127 where that cannot be started."))
	return out.Bytes()
}

func writeCommand(out *bytes.Buffer, cmd *cobra.Command) {
	if !cmd.IsAvailableCommand() {
		return
	}
	fmt.Fprintf(out, ".SS %s\n", roff(cmd.Use))
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	out.WriteString(paragraphs(text))
	writeFlags(out, cmd.LocalNonPersistentFlags())
	if cmd.Example != "" {
		fmt.Fprintf(out, ".PP\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
}

func writeFlags(out *bytes.Buffer, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		argument, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(out, ".TP\n\\fB%s\\fR \\fI%s\\fR\n%s\n", roff(name), roff(argument), roff(usage))
	})
}

// paragraphs turns blank lines into paragraph macros.
func paragraphs(text string) string {
	return strings.ReplaceAll(roff(strings.TrimSpace(text)), "\n\n", "\n.PP\n") + "\n"
}

// roff escapes what means something to roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "`", `\(ga`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
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
