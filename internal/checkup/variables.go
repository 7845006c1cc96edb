package checkup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/shellword"
)

// Variables that say where vault and key are.
const (
	VaultFileVariable = "MAZEVAULT_VAULT_FILE"
	KeyFileVariable   = "MAZEVAULT_VAULT_KEY_FILE"
	AzureVariable     = "MAZEVAULT_VAULT_AKV_URL"
)

// variables looks at where the variables lead that services and commands find the vault by.
func variables(_ context.Context, h *Host) []finding.Finding {
	found := append(h.variable(VaultFileVariable, "secrets.vault", h.Named.Vault), h.variable(KeyFileVariable, "vault.key", h.Named.Key)...)
	if h.Getenv(AzureVariable) != "" && h.Getenv(KeyFileVariable) != "" {
		found = append(found, finding.Finding{
			Severity: finding.Info, Check: "variable-unused", Where: []string{KeyFileVariable, AzureVariable},
			What: "both say where the key is: the one in Azure Key Vault is taken",
		})
	}
	return found
}

// variable looks at one variable; usual is the file in the working directory that is taken without it. Where the command line names another
// file the variable does not matter to this vault, and what is wrong with it is less so.
func (h *Host) variable(name, usual string, overridden bool) []finding.Finding {
	path := h.Getenv(name)
	if path == "" {
		return nil
	}
	f := finding.Finding{Severity: finding.Warn, Where: []string{name}}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Check, f.What, f.Mend = "variable-missing-file", fmt.Sprintf("it names %s, which is not there", path), "unset "+name
		if !overridden {
			f.Severity = finding.Error
		}
		return one(f)
	case err != nil:
		return nil // whoever opens it will say so
	}
	var found []finding.Finding
	if !filepath.IsAbs(path) {
		f.Check, f.What = "variable-relative", fmt.Sprintf("it names %s, which is another file in every directory", path)
		if absolute, err := filepath.Abs(path); err == nil {
			f.Mend = "export " + name + "=" + shellword.Quote(absolute)
		}
		found = append(found, f)
	}
	here, err := os.Stat(filepath.Join(h.Directory, usual))
	if err == nil && here.Mode().IsRegular() && info.Mode().IsRegular() && !os.SameFile(here, info) {
		f.Check, f.Mend = "variable-elsewhere", "unset "+name
		f.What = fmt.Sprintf("it names %s, so that commands do not take %s of this directory (%s)", path, usual, h.Directory)
		found = append(found, f)
	}
	return found
}
