package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mazevault/vault-tool/internal/wrap"
)

// helpColumns is the width of a terminal that help is readable on.
const helpColumns = 80

// writeHelp writes the help of a command: what it does, how it is called, examples, its own flags, and last and short those
// that every command has.
func writeHelp(cmd *cobra.Command) string {
	var out strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	out.WriteString(wrap.Text(text, helpColumns) + "\n\n")
	out.WriteString(usageText(cmd))
	return out.String()
}

// usageText is the help from the command line on.
func usageText(cmd *cobra.Command) string {
	var out strings.Builder
	section := func(title, body string) {
		if body = strings.TrimRight(body, "\n"); body != "" {
			fmt.Fprintf(&out, "%s:\n%s\n\n", title, body)
		}
	}
	if cmd.Runnable() || cmd.HasAvailableSubCommands() {
		section("Usage", "  "+wrap.Words(cmd.UseLine(), "  ", "      ", helpColumns))
	}
	if len(cmd.Aliases) > 0 {
		section("Also", "  "+strings.Join(cmd.Aliases, ", "))
	}
	section("Examples", cmd.Example)
	section("Available Commands", commandList(cmd))
	if cmd.HasParent() {
		section("Flags", flagList(cmd.LocalNonPersistentFlags()))
	}
	section("Flags of every command", flagList(cmd.Root().PersistentFlags()))
	if cmd.HasAvailableSubCommands() {
		above, _ := strings.CutPrefix(cmd.CommandPath(), cmd.Root().Name())
		fmt.Fprintf(&out, "%s help%s COMMAND says more about one.\n", cmd.Root().Name(), above)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func commandList(cmd *cobra.Command) string {
	var out strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			fmt.Fprintf(&out, "  %-12s %s\n", sub.Name(), sub.Short)
		}
	}
	return out.String()
}

// flagList is pflag's list within helpColumns.
func flagList(flags *pflag.FlagSet) string { return flags.FlagUsagesWrapped(helpColumns) }
