package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The canaries: a value, and the passphrase of the key files. Upper-case letters and digits keep them
// from looking like a misspelt command or flag, which messages do repeat.
const (
	canaryValue      = "Canary7f3A9-value-Zq81xV"
	canaryPassphrase = "Warden0b5E2-passphrase-Lm47cT"
)

// fragmentBytes is the shortest piece of a canary that must not be seen.
const fragmentBytes = 8

// canaryFragments are all pieces of the canaries, as they are, in hexadecimal and in Base64.
func canaryFragments() []string {
	var fragments []string
	for _, canary := range []string{canaryValue, canaryPassphrase} {
		for i := 0; i+fragmentBytes <= len(canary); i++ {
			piece := canary[i : i+fragmentBytes]
			digits := hex.EncodeToString([]byte(piece))
			fragments = append(fragments, piece, digits, strings.ToUpper(digits))
		}
		for shift := range 3 { // where the piece stands in its group of three bytes
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + canary))
			const group, window = 4, 12
			inner := encoded[group : len(encoded)-group]
			for i := 0; i+window <= len(inner); i++ {
				fragments = append(fragments, inner[i:i+window])
			}
		}
	}
	return fragments
}

// canaryCase is a command line for sh and its input. What it prints on standard output is checked too,
// unless it is for printing values.
type canaryCase struct {
	line, stdin string
	prints      bool
}

func canaryCases() []canaryCase {
	const c = canaryValue
	cases := []canaryCase{
		// A value in the place of an argument, a flag or a name.
		{line: "vault-tool add --name N '" + c + "'"},
		{line: "vault-tool add --name 'N=" + c + "'"},
		{line: "vault-tool add 'N=" + c + "'"},
		{line: "vault-tool add --name N --value '" + c + "'"},
		{line: "vault-tool add --name N '--" + c + "'"},
		{line: "vault-tool add --name N '--" + c + "=x'"},
		{line: "vault-tool add --name N '-" + c + "'"},
		{line: "vault-tool add --name N '-q" + c + "'"},
		{line: "vault-tool add --name N '--raw=" + c + "'"},
		{line: "vault-tool add --name N '--generate=" + c + "'"},
		{line: "vault-tool add --name N --generate '" + c + "'"},
		{line: "vault-tool add --name N '--lock-timeout=" + c + "'"},
		{line: "vault-tool add --name N '---" + c + "'"},
		{line: "vault-tool add --name N '--=" + c + "'"},
		{line: "vault-tool encrypt '{\"N\":\"" + c + "\"}'"},
		{line: "vault-tool encrypt '--force=" + c + "'"},
		{line: "vault-tool get 'N=" + c + "'"},
		{line: "vault-tool get N '" + c + "'"},
		{line: "vault-tool rm 'N=" + c + "'"},
		{line: "vault-tool init '" + c + "'"},
		{line: "vault-tool decrypt '" + c + "'"},
		{line: "vault-tool rotate-key --in-place '" + c + "'"},
		{line: "vault-tool migrate-env --env-file env '" + c + "'"},
		{line: "vault-tool version '" + c + "'"},
		{line: "vault-tool completion '" + c + "'"},
		{line: "vault-tool help '" + c + "'"},
		{line: "vault-tool '" + c + "'"},
		{line: "vault-tool '--" + c + "'"},

		// Values from standard input.
		{line: "vault-tool add --name N", stdin: c + "\xff"},
		{line: "vault-tool add --name N", stdin: c},
		{line: "vault-tool add --name N --json", stdin: c + "2"},
		{line: "vault-tool add --name N --if-absent", stdin: c},
		{line: "vault-tool add --name N --vault-file no/such/dir/v --create", stdin: c},

		// What is for reading, with and without a vault and key that open.
		{line: "vault-tool list"},
		{line: "vault-tool list --json"},
		{line: "vault-tool decrypt"},
		{line: "vault-tool decrypt --show-values", prints: true},
		{line: "vault-tool get N", prints: true},
		{line: "vault-tool get N > /dev/full"},
		{line: "vault-tool get MISSING --json"},
		{line: "vault-tool rm N MISSING"},
		{line: "vault-tool list --key-file wrong.key"},
		{line: "vault-tool list --key-file open.key"},
		{line: "vault-tool list --vault-file damaged.vault"},
		{line: "vault-tool list --vault-file vault.key"},
		{line: "vault-tool list --vault-file env"},
		{line: "vault-tool list --key-file short.key"},
		{line: "vault-tool __complete get ''"},

		// What is searched for values.
		{line: "vault-tool scan ."},
		{line: "vault-tool scan env conflict.env none --json"},
		{line: "vault-tool scan -", stdin: c + " " + c},
		{line: "vault-tool scan --staged"},
		{line: "vault-tool redact", stdin: c + " " + c + " " + c},
		{line: "vault-tool redact > /dev/full", stdin: c},

		// What is examined.
		{line: "vault-tool inspect"},
		{line: "vault-tool inspect --json"},
		{line: "vault-tool inspect --key-file wrong.key"},
		{line: "vault-tool inspect --key-file open.key"},
		{line: "vault-tool inspect damaged.vault"},
		{line: "vault-tool inspect vault.key"},
		{line: "vault-tool inspect env --json"},
		{line: "vault-tool doctor"},
		{line: "vault-tool doctor --json --older-than 0s"},
		{line: "vault-tool doctor --key-file wrong.key"},
		{line: "vault-tool doctor --key-file open.key --json"},
		{line: "vault-tool doctor --vault-file damaged.vault"},
		{line: "vault-tool doctor --vault-file env"},
		{line: "cp env .env; vault-tool doctor; rm .env"},

		// Many at once, versions, drops, and what is handed on.
		{line: "vault-tool apply", stdin: `{"N": "` + c + `", "M": "` + c + `", "GONE": null}`},
		{line: "vault-tool apply --dry-run --json", stdin: `{"N": "` + c + `x", "M": null}`},
		{line: "vault-tool apply --from dotenv", stdin: "M=" + c + "\nL='" + c},
		{line: "vault-tool add N", stdin: c + "2"},
		{line: "vault-tool history"},
		{line: "vault-tool history N --json"},
		{line: "vault-tool list --long --json"},
		{line: "vault-tool get N --version 1", prints: true},
		{line: "vault-tool get N --version 99"},
		{line: "vault-tool rollback N"},
		{line: "vault-tool rollback --all --to 1h --dry-run"},
		{line: "vault-tool rename M R"},
		{line: "vault-tool copy R N"},
		{line: "vault-tool rm R"},
		{line: "vault-tool undelete R --json"},
		{line: "vault-tool export --format docker-env", prints: true},
		{line: "vault-tool export --format k8s-secret --out k8s.yaml --json"},
		{line: "vault-tool drop-key --json"},
		{line: "vault-tool seal --to secrets.vault.drop.pub D --out d.drop", stdin: c},
		{line: "vault-tool seal --to secrets.vault.drop.pub D --json", stdin: c},
		{line: "vault-tool seal --to env D", stdin: c},
		{line: "vault-tool collect env"},
		{line: "vault-tool collect d.drop"},
		{line: "vault-tool collect d.drop --json"},
		{line: "EDITOR='sed -i s/=/BROKEN/' vault-tool edit"},
		{line: "EDITOR='sed -i s/:/BROKEN/' vault-tool edit --json"},
		{line: "EDITOR='sed -i $d' vault-tool edit"},
		{line: "vault-tool verify . --key-file vault.key --key-file short.key"},
		{line: "vault-tool verify . --json --against secrets.vault --require N --require ABSENT"},
		{line: "vault-tool verify env --require-from env"},
		{line: "mkdir -p b k; vault-tool backup --to b --with-key-to k --keep 1 --json"},
		{line: "vault-tool backup --to b --skip-unchanged '" + c + "'"},
		{line: "vault-tool backup --to . --key-file wrong.key"},
		{line: "vault-tool restore b/*Z --key-file vault.key --key-file short.key --json"},
		{line: "vault-tool restore env"},
		{line: "vault-tool restore damaged.vault"},
		{line: "vault-tool verify -", stdin: "secrets.vault\n"},
		{line: "vault-tool destroy R N"},
		{line: "vault-tool undelete N"},
		{line: "vault-tool history --keep 0"},

		// Connections to stores.
		{line: "vault-tool store add vault hc", stdin: `{"vaultUrl": "https://v", "token": "` + c + `"}`},
		{line: "vault-tool store add vault other --json", stdin: `{"vaultUrl": "` + c + `", "token": "` + c + `"}`},
		{line: "vault-tool store add vault other", stdin: `{"vaultUrl": "https://u:` + c + `@v", "` + c + `": "` + c + `"}`},
		{line: "vault-tool store add aws-sm other", stdin: `{"region": "` + c + `", "secretAccessKey": "` + c + `"}`},
		{line: "vault-tool store add aws-sm other", stdin: `{"region": "eu-west-1", "secretAccessKey": ["` + c + `"]}`},
		{line: "vault-tool store add gcp-sm other", stdin: `{"projectId": "` + c + `", "serviceAccountJson": "{` + c + `"}`},
		{line: "vault-tool store add azure-kv other", stdin: `{"vaultUrl": "https://v", "clientSecret": "` + c + `"}`},
		{line: "vault-tool store add '" + c + "' '" + c + "'"},
		{line: "vault-tool store add vault '" + c + "'"},
		{line: "vault-tool store '" + c + "'"},
		{line: "vault-tool store show hc"},
		{line: "vault-tool store show hc --json"},
		{line: "vault-tool store show '" + c + "'"},
		{line: "vault-tool store edit hc --json", stdin: `{"token": "` + c + `\n"}`},
		{line: "vault-tool store edit hc", stdin: `{"secretId": "` + c + `"}`},
		{line: "vault-tool store edit hc", stdin: c},
		{line: "vault-tool store list --json"},
		{line: "vault-tool inspect --json"},
		{line: "vault-tool link L 'vault://hc/secret/x#/k'"},
		{line: "vault-tool link L '" + c + "'"},
		{line: "vault-tool link L 'vault://hc/secret/" + c + "?" + c + "'"},
		{line: "vault-tool link L 'vault://" + c + "/secret/x'"},
		{line: "vault-tool link L 'vault://hc/secret/x?version=" + c + "' --json"},
		{line: "vault-tool link L 'ref+vault://x/y?address=" + c + "'"},
		{line: "vault-tool link L 'arn:" + c + "' --via '" + c + "'"},
		{line: "vault-tool link N 'vault://hc/secret/n'"},
		{line: "vault-tool get N"},
		{line: "vault-tool exec -- env"},
		{line: "vault-tool list --refs --json"},
		{line: "vault-tool apply", stdin: `{"R": {"ref": "` + c + `"}}`},
		{line: "vault-tool apply", stdin: `{"R": {"` + c + `": "` + c + `"}}`},
		{line: "vault-tool rollback N"},
		{line: "vault-tool unlink L --keep-value"},
		{line: "vault-tool unlink L"},
		{line: "vault-tool unlink N"},
		{line: "vault-tool store rm hc"},

		// Comparisons.
		{line: "cp secrets.vault before && vault-tool add N && vault-tool diff before", stdin: c + "3"},
		{line: "vault-tool diff before --json --exit-code"},
		{line: "vault-tool diff env"},
		{line: "vault-tool diff conflict.env --json"},
		{line: "vault-tool diff -", stdin: "N='" + c},
		{line: "vault-tool diff vault.key"},
		{line: "vault-tool diff damaged.vault"},
		{line: "vault-tool diff --at 1h"},

		// What git runs.
		{line: "vault-tool git textconv secrets.vault"},
		{line: "vault-tool git textconv damaged.vault --verbose"},
		{line: "vault-tool git textconv env"},
		{line: "cp secrets.vault o && cp secrets.vault a && cp secrets.vault b && vault-tool add N --vault-file a && echo x | vault-tool add N --vault-file b", stdin: c + "4"},
		{line: "vault-tool git merge o a b secrets.vault"},
		{line: "vault-tool git merge o a env secrets.vault --json"},
		{line: "vault-tool git merge env a b secrets.vault --key-file wrong.key"},
		{line: "git init -q . && vault-tool git-setup --pre-commit --json"},
		{line: "git add -f env conflict.env vault.key damaged.vault && vault-tool git pre-commit"},
		{line: "vault-tool git pre-commit --key-file wrong.key"},
		{line: "vault-tool git-setup --remove"},

		// Rotation, with files that are not what they should be.
		{line: "vault-tool rotate-key --new-key-file vault.key"},
		{line: "vault-tool rotate-key --new-key-file open.key"},
		{line: "vault-tool rotate-key --new-key-file env"},
		{line: "vault-tool rotate-key --key-file wrong.key --in-place"},
		{line: "vault-tool rotate-key --in-place --keep-old-key --json"},
		{line: "vault-tool migrate-env --env-file vault.key --all"},
		{line: "vault-tool migrate-env --env-file env --all --dry-run"},
		{line: "vault-tool migrate-env --env-file conflict.env"},
		{line: "vault-tool migrate-env --env-file conflict.env --overwrite --prune --json"},
	}
	for _, json := range badJSON {
		json = strings.ReplaceAll(json, "CANARY", c)
		cases = append(cases, canaryCase{line: "vault-tool encrypt --vault-file new.vault", stdin: json},
			canaryCase{line: "vault-tool apply --create --vault-file new.vault", stdin: json})
	}
	for _, env := range badEnv {
		env = strings.ReplaceAll(env, "CANARY", c)
		for _, options := range []string{"", "--all", "--all --dialect literal", "--all --dialect compose", "--all --dialect godotenv"} {
			cases = append(cases, canaryCase{line: "vault-tool migrate-env --dry-run --vault-file new.vault --env-file /dev/stdin " + options, stdin: env})
		}
	}
	return cases
}

// badJSON are inputs that encrypt refuses, with values wherever one can stand.
var badJSON = []string{
	`CANARY`, `"CANARY"`, `["CANARY"]`, `{"CANARY"}`, `{"CANARY" "CANARY"}`, `{CANARY: "x"}`, `{"N": CANARY}`,
	`{"N": "CANARY}`, `{"N": "CANARY"`, `{"N": "CANARY"} CANARY`, `{"N": {"M": "CANARY"}}`, `{"N": ["CANARY"]}`,
	`{"N": "CANARY" "M": "CANARY"}`, `{"N": "CANARY", "N": "CANARY"}`, `{"N": "CANARY\q"}`, `{"N": "CANARY\ud800"}`,
	"{\"N\": \"CANARY\xff\"}", "{\"N\": \"CANARY\n\"}", `{'N': 'CANARY'}`, `{"N": "CANARY",}`, `N=CANARY`,
	`{"N": 1e99, "M": "CANARY"}`, `{"A B": "CANARY"}`, `{"": "CANARY"}`,
}

// badEnv are .env files that some reader or all refuse.
var badEnv = []string{
	"DATABASE_URL='CANARY\n", "DATABASE_URL=\"CANARY\n", "DATABASE_URL='CANARY' CANARY\n", "DATABASE_URL=\"CANARY\"CANARY\n",
	"DATABASE_URL=$CANARY\n", "DATABASE_URL=${CANARY\n", "DATABASE_URL=${CANARY:?CANARY}\n", "DATABASE_URL=x\\CANARY$$CANARY\n",
	"CANARY\n", "CANARY", "CANARY CANARY=x\n", "DATABASE-URL: CANARY\n: CANARY\n= CANARY\n", "'DATABASE_URL'=CANARY\n",
	"DATABASE_URL=-----BEGIN PRIVATE KEY-----\nCANARY\nCANARY=\n-----END PRIVATE KEY-----\n",
	"DATABASE_URL=\"a\nCANARY=CANARY\nREDIS_URL='\n", "\xff\xfeCANARY", "DATABASE_URL=CANARY\xff$(CANARY)\n",
	"export CANARY\nexport DATABASE_URL CANARY\n", "DATABASE_URL=`CANARY\n", "DATABASE_URL=CANARY\x00$x\n",
}

// TestNoMessageShowsASecret runs every command with every kind of bad input and looks for pieces of the
// value and of the passphrase in what it writes.
func TestNoMessageShowsASecret(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("uses sh and file modes")
	}
	if testing.Short() {
		t.Skip("runs a hundred and fifty commands")
	}
	t.Parallel()
	dir := t.TempDir()
	writeCanaryFiles(t, dir)
	runTool(t, dir, `{"N": "`+canaryValue+`", "DATABASE_URL": "`+canaryValue+`"}`, 0, "encrypt", "--quiet")
	vault, err := os.ReadFile(filepath.Join(dir, "secrets.vault"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "damaged.vault", string(vault[:len(vault)-1]), 0o600)
	fragments := canaryFragments()
	for _, c := range canaryCases() {
		cmd := exec.Command("sh", "-c", c.line)
		var stdout, stderr bytes.Buffer
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(c.stdin), &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code > exitBusy {
			t.Errorf("%s\n< %q\nexit code %d: %s", c.line, c.stdin, code, stderr.String())
		}
		written := stderr.String()
		if !c.prints {
			written += stdout.String()
		}
		for _, fragment := range fragments {
			if strings.Contains(written, fragment) {
				t.Errorf("%s\n< %q\nshows %q:\n%s", c.line, c.stdin, fragment, written)
				break
			}
		}
	}
}

func writeCanaryFiles(t *testing.T, dir string) {
	t.Helper()
	writeFile(t, dir, "vault.key", canaryPassphrase+"\n", 0o600)
	writeFile(t, dir, "wrong.key", "x"+canaryPassphrase+"\n", 0o600)
	writeFile(t, dir, "open.key", canaryPassphrase+"\n", 0o644)
	writeFile(t, dir, "short.key", canaryPassphrase[:12]+"\n", 0o600)
	writeFile(t, dir, "env", "DATABASE_URL='"+canaryValue+"'\nJWT_SECRET="+canaryValue+"\nURL=https://u:"+canaryValue+"@h/\n", 0o600)
	writeFile(t, dir, "conflict.env", "DATABASE_URL=x"+canaryValue+"\nJWT_SECRET="+canaryValue+"\n", 0o600)
}

func writeFile(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

// TestCanaryFragmentsAreFound: the search finds what it is for.
func TestCanaryFragmentsAreFound(t *testing.T) {
	fragments := canaryFragments()
	for _, text := range []string{
		canaryValue[5:13], hex.EncodeToString([]byte(canaryPassphrase)), base64.StdEncoding.EncodeToString([]byte("ab" + canaryValue)),
		base64.StdEncoding.EncodeToString([]byte(canaryPassphrase[3:])),
	} {
		found := false
		for _, fragment := range fragments {
			found = found || strings.Contains("x"+text, fragment)
		}
		if !found {
			t.Errorf("no fragment of a canary is seen in %q", text)
		}
	}
}
