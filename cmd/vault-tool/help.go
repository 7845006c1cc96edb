package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
	out.WriteString(wrapText(text) + "\n\n")
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
		section("Usage", "  "+wrapWords(cmd.UseLine(), "  ", "      "))
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
		fmt.Fprintf(&out, "%s help COMMAND says more about one.\n", cmd.Root().Name())
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

// wrapText breaks the paragraphs of a text anew. Lines that begin with blanks, tables and examples, stay unless they are
// too wide; then what follows their first column is broken under itself.
func wrapText(text string) string {
	var out []string
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			out = append(out, wrapWords(strings.Join(paragraph, " "), "", ""))
			paragraph = nil
		}
	}
	for _, line := range strings.Split(text, "\n") {
		switch {
		case line == "":
			flush()
			out = append(out, "")
		case strings.HasPrefix(line, " ") || strings.HasSuffix(line, ":") && len(paragraph) == 0:
			flush()
			out = append(out, wrapColumns(line))
		default:
			paragraph = append(paragraph, line)
		}
	}
	flush()
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// wrapColumns breaks a line of a table: the last column goes on under itself.
func wrapColumns(line string) string {
	if len([]rune(line)) <= helpColumns {
		return line
	}
	column := strings.LastIndex(line[:len(line)/2+1], "  ") + 2
	return line[:column] + wrapWords(line[column:], strings.Repeat(" ", len([]rune(line[:column]))), strings.Repeat(" ", len([]rune(line[:column]))))
}

// wrapWords breaks text at blanks. The first line begins behind first, the others with indent.
func wrapWords(text, first, indent string) string {
	var lines []string
	line, width := "", len(first)
	for _, word := range strings.Fields(text) {
		length := len([]rune(word))
		switch {
		case line == "":
			line, width = word, width+length
		case width+1+length <= helpColumns:
			line, width = line+" "+word, width+1+length
		default:
			lines = append(lines, line)
			line, width = indent+word, len(indent)+length
		}
	}
	return strings.Join(append(lines, line), "\n")
}
