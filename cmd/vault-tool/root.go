package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

const rootLong = `vault-tool keeps a deployment's credentials in one encrypted file, secrets.vault, opened by one
key file, vault.key. No server, no account, and no network unless the key is in Azure Key Vault:
a second program, vault-tool-net, fetches it then.

Values come from standard input and are never arguments. Data goes to standard output, everything
else to standard error.

The vault is --vault-file, else $MAZEVAULT_VAULT_FILE, else secrets.vault in the working directory;
the key is --key-file, else the secret in Azure Key Vault that --akv-url and --akv-secret or
$MAZEVAULT_VAULT_AKV_URL and $MAZEVAULT_VAULT_AKV_SECRET name, else $MAZEVAULT_VAULT_KEY_FILE, else
vault.key.`

const rootExample = `  vault-tool init --key-file vault.key
  vault-tool migrate-env --env-file .env
  echo "my-new-token" | vault-tool add --name DYNATRACE_TOKEN
  vault-tool list`

// commands are all commands, in the order of the help.
var commands = []struct {
	name      string
	construct func(*app) *cobra.Command
}{
	{"init", newInitCommand},
	{"encrypt", newEncryptCommand},
	{"decrypt", newDecryptCommand},
	{"add", newAddCommand},
	{"edit", newEditCommand},
	{"apply", newApplyCommand},
	{"get", newGetCommand},
	{"list", newListCommand},
	{"diff", newDiffCommand},
	{"rm", newRmCommand},
	{"history", newHistoryCommand},
	{"rollback", newRollbackCommand},
	{"undelete", newUndeleteCommand},
	{"destroy", newDestroyCommand},
	{"rename", newRenameCommand},
	{"copy", newCopyCommand},
	{"rotate-key", newRotateKeyCommand},
	{"verify", newVerifyCommand},
	{"backup", newBackupCommand},
	{"restore", newRestoreCommand},
	{"migrate-env", newMigrateEnvCommand},
	{"drop-key", newDropKeyCommand},
	{"seal", newSealCommand},
	{"collect", newCollectCommand},
	{"store", newStoreCommand},
	{"link", newLinkCommand},
	{"unlink", newUnlinkCommand},
	{"export", newExportCommand},
	{"exec", newExecCommand},
	{"render", newRenderCommand},
	{"inspect", newInspectCommand},
	{"doctor", newDoctorCommand},
	{"scan", newScanCommand},
	{"redact", newRedactCommand},
	{"forget", newForgetCommand},
	{"git-setup", newGitSetupCommand},
	{"git", newGitCommand},
	{"version", newVersionCommand},
}

// addCommands adds all commands, or only the one that the command line begins with: to make the others
// and their flags takes a twentieth of the time of a short one.
func (a *app) addCommands(root *cobra.Command, args []string) {
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			root.AddCommand(c.construct(a))
			return
		}
	}
	for _, c := range commands {
		root.AddCommand(c.construct(a))
	}
}

// newRootCommand returns the command for a command line.
func newRootCommand(a *app, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "vault-tool",
		Short:         "Keep a deployment's credentials in one encrypted file",
		Long:          rootLong + "\n\n" + exitCodesHelp,
		Example:       rootExample,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,

		PersistentPreRunE: flagsError,
	}
	// Not cobra's flag: its text is a template, for which the linker keeps every method of every type, a sixth of the program.
	version := root.Flags().BoolP("version", "v", false, "version for vault-tool")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case *version:
			return a.print([]byte("vault-tool " + buildVersion() + "\n"))
		case len(args) > 0:
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help()
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _, _ = io.WriteString(cmd.OutOrStdout(), writeHelp(cmd)) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		_, err := io.WriteString(cmd.OutOrStdout(), usageText(cmd))
		return err
	})
	root.SetFlagErrorFunc(flagError)

	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&a.vaultFlag, "vault-file", "", "the vault `FILE`")
	flags.StringVar(&a.keyFlag, "key-file", "", "the key `FILE`")
	a.azure.addFlags(root)
	flags.BoolVar(&a.json, "json", false, "print JSON")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no notes; errors and warnings remain")
	flags.BoolVar(&a.verbose, "verbose", false, "say which vault, key and cache are used")
	flags.DurationVar(&a.keyCacheTTL, keyCacheFlag, 0, "keep the derived key in the kernel keyring (1s to 24h)")
	flags.DurationVar(&a.lockTimeout, "lock-timeout", vaultfile.DefaultLockTimeout, "how long to wait for another writer")
	completeFiles(root, "vault-file", "key-file")

	a.addCommands(root, args)
	root.SetHelpCommand(newHelpCommand())
	a.addCompletionCommand(root)
	return root
}

// newHelpCommand is cobra's, but fails for a command that there is not.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command, and the exit codes",
		Example: "  vault-tool help\n  vault-tool help add",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			for _, c := range cmd.Root().Commands() {
				if len(args) == 0 && c.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if len(rest) > 0 && topic != cmd.Root() {
				return badInput("vault-tool help "+topic.Name(), "help is about one command (%d arguments were given)", len(args))
			}
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	}
}
