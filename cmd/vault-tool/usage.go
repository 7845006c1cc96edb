package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mazevault/vault-tool/vaultfile"
)

// Errors of usage are worded here instead of by cobra and pflag, which repeat what was typed: it may
// be a value that was meant for standard input.

// usageFailure is the failure for a command line that was not understood.
func usageFailure(cmd *cobra.Command, err error) error {
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	hint := "run: " + cmd.CommandPath() + " --help"
	if cmd == cmd.Root() || cmd.Name() == "help" {
		hint = "run: vault-tool help"
	}
	return &failure{code: exitUsage, err: err, hint: hint}
}

// asksForJSON tells whether a command line that was not understood asks for JSON. The flags of a command that exec
// is to run stand behind "--".
func asksForJSON(args []string) bool {
	for _, arg := range args {
		if arg == "--" {
			return false
		}
		if value, given := strings.CutPrefix(arg, "--json"); given {
			yes, err := strconv.ParseBool(strings.TrimPrefix(value, "="))
			if value == "" || err == nil && yes {
				return true
			}
		}
	}
	return false
}

// unknownCommand is the error for a first argument that is no command.
func unknownCommand(root *cobra.Command, arg string) error {
	if !looksTyped(arg) {
		return errors.New("unknown command")
	}
	err := fmt.Errorf("unknown command %q", arg)
	if similar := similarCommands(root, arg); len(similar) > 0 {
		return badInput("did you mean: vault-tool "+strings.Join(similar, ", or: vault-tool "), "%w", err)
	}
	return err
}

// flagError rewords what pflag says about flags.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		switch {
		case unknown.GetSpecifiedShortnames() != "" && looksTyped(name):
			return withSimilarFlag(cmd, name, fmt.Errorf("unknown flag: -%s", name))
		case looksTyped(name):
			return withSimilarFlag(cmd, name, fmt.Errorf("unknown flag: --%s", name))
		}
		return errors.New("unknown flag")
	case errors.As(err, &missing):
		return fmt.Errorf("--%s needs a value", missing.GetFlag().Name)
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s takes %s", invalid.GetFlag().Name, typeNames[invalid.GetFlag().Value.Type()])
	}
	return errors.New("a flag that cannot be understood")
}

// withSimilarFlag adds the flag that may have been meant.
func withSimilarFlag(cmd *cobra.Command, name string, err error) error {
	if name == "value" || name == "password" || name == "secret" {
		return badInput("a value is never an argument: it comes from standard input", "%w", err)
	}
	if similar := similarFlag(cmd.Flags(), name); similar != "" {
		return badInput("did you mean: --"+similar, "%w", err)
	}
	return err
}

// flagsError says which flags are missing or exclude each other. It runs before cobra's own checks of
// the same, whose texts are for programmers.
func flagsError(cmd *cobra.Command, _ []string) error {
	missing := ""
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if _, required := flag.Annotations[cobra.BashCompOneRequiredFlag]; required && !flag.Changed {
			missing += " --" + flag.Name
		}
	})
	if missing != "" {
		return fmt.Errorf("missing:%s", missing)
	}
	err := cmd.ValidateFlagGroups()
	if err == nil {
		return nil
	}
	// The text has the group in brackets: "[new-key-file in-place]".
	_, rest, _ := strings.Cut(err.Error(), "[")
	group, _, found := strings.Cut(rest, "]")
	flags := "--" + strings.ReplaceAll(group, " ", " or --")
	switch {
	case !found:
		return err
	case strings.HasPrefix(err.Error(), "at least one"):
		return fmt.Errorf("missing: %s", flags)
	case strings.Contains(err.Error(), "must all be set"):
		return fmt.Errorf("give both: --%s", strings.ReplaceAll(group, " ", " and --"))
	}
	return fmt.Errorf("not both: %s", flags)
}

// typeNames says what flags of pflag's types take.
var typeNames = map[string]string{
	"bool":     "no value",
	"path":     "the path of a file, and it is empty; is a variable not set?",
	"int":      "a whole number",
	"duration": "a duration, such as 10s or 5m",
}

// maxTypedBytes is longer than every command and flag there is.
const maxTypedBytes = 20

// looksTyped tells whether a word could be a command or a flag, misspelt perhaps, and so is fit for a
// message: short, of lower-case letters and dashes.
func looksTyped(word string) bool {
	if len(word) > maxTypedBytes {
		return false
	}
	for _, c := range word {
		if c != '-' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// refuseEmptyPaths refuses a path flag that is given but empty: an unset variable of a script must not
// lead to the default file.
func refuseEmptyPaths(cmd *cobra.Command) error {
	for _, name := range []string{"vault-file", "key-file", "new-key-file", "env-file", "akv-url", "akv-secret", "new-akv-secret", "to", "with-key-to", "against", "require-from", "out", "output", "dir"} {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Changed && flag.Value.String() == "" {
			return fmt.Errorf("--%s is empty; is a variable not set?", name)
		}
	}
	return nil
}

// noArguments refuses arguments without repeating them.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("unexpected argument; a value is never an argument, it comes from standard input")
	}
	return nil
}

// noArgumentsBut is noArguments for a command whose user may have meant a flag: the hint says which.
func noArgumentsBut(hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return badInput(hint, "unexpected argument")
		}
		return nil
	}
}

// oneName wants one argument, the name of a secret.
func oneName(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the name of one secret (%d arguments were given)", len(args))
	}
	return nil
}

// someNames wants one argument or more, names of secrets.
func someNames(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("give the name of at least one secret")
	}
	return nil
}

// addNames gives a command that takes names as arguments --name for them too. Each counts as if it stood in front of the arguments.
func (a *app) addNames(cmd *cobra.Command) {
	var named []string
	cmd.Flags().StringArrayVar(&named, "name", nil, "a secret's name, if it is no argument")
	_ = cmd.RegisterFlagCompletionFunc("name", a.completeNames) // fails for an unknown flag only
	check, run := cmd.Args, cmd.RunE
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		return check(cmd, slices.Concat(named, args))
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd, slices.Concat(named, args)) }
}

// checkName validates a secret's name from the command line. One with a '=' in it is not repeated: it
// is a name and a value, or a value in Base64.
func checkName(name string) error {
	if strings.Contains(name, "=") {
		return badInput("give the name alone; a value comes from standard input, and one that stood on a command line should be replaced, for others may have seen it",
			"%w: '=' is not part of a name", vaultfile.ErrBadName)
	}
	return vaultfile.ValidateName(name)
}

// refuseSameFile keeps a slip of the two flags from turning the key file into a vault.
func refuseSameFile(vaultPath, keyPath string) error {
	vault, err := os.Stat(vaultPath)
	if err != nil {
		return nil // not there, so not the key
	}
	if key, err := os.Stat(keyPath); err == nil && os.SameFile(vault, key) {
		return badInput("the vault and its key are two files; check the paths", "%s is given as the vault and as a key", vaultPath)
	}
	return nil
}
