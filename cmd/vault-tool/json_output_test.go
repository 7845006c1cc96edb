package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// jsonField is a row of a table in docs/json.md.
type jsonField struct {
	kind     string
	optional bool
}

// jsonTables reads the tables of docs/json.md by the headings above them.
func jsonTables(t *testing.T) map[string]map[string]jsonField {
	t.Helper()
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := make(map[string]map[string]jsonField)
	var headings []string
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
			headings = strings.Split(strings.ReplaceAll(strings.TrimSpace(heading), "`", ""), " and ")
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		for _, name := range regexp.MustCompile("`([a-zA-Z_]+)`").FindAllStringSubmatch(cells[1], -1) {
			for _, heading := range headings {
				if tables[heading] == nil {
					tables[heading] = make(map[string]jsonField)
				}
				tables[heading][name[1]] = jsonField{strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]) != ""}
			}
		}
	}
	return tables
}

// jsonCheck compares what commands print with the tables.
type jsonCheck struct {
	t      *testing.T
	tables map[string]map[string]jsonField
	seen   map[string]bool // "heading field"
}

func (c *jsonCheck) object(heading, where string, object map[string]any) {
	table, ok := c.tables[heading]
	if !ok {
		c.t.Errorf("%s: docs/json.md has no table for %q", where, heading)
		return
	}
	for name, value := range object {
		field, ok := table[name]
		if !ok {
			c.t.Errorf("%s: docs/json.md does not have %q under %q", where, name, heading)
			continue
		}
		c.seen[heading+" "+name] = true
		c.value(field.kind, where+" "+name, value)
	}
	for name, field := range table {
		if _, there := object[name]; !there && !field.optional {
			c.t.Errorf("%s: %q is absent, which docs/json.md does not say", where, name)
		}
	}
}

func (c *jsonCheck) value(kind, where string, value any) {
	kind, orNull := strings.CutSuffix(kind, " or null")
	if value == nil && orNull {
		return
	}
	kind, of, _ := strings.Cut(kind, ": ")
	switch kind {
	case "object":
		if object, ok := value.(map[string]any); ok {
			c.object(of, where, object)
			return
		}
	case "strings", "numbers", "objects":
		if list, ok := value.([]any); ok {
			for i, element := range list {
				c.value(strings.TrimSuffix(kind, "s")+": "+of, fmt.Sprintf("%s[%d]", where, i), element)
			}
			return
		}
	case "string", "number", "boolean":
		if is := map[string]string{"string": "string", "float64": "number", "bool": "boolean"}[fmt.Sprintf("%T", value)]; is == kind {
			return
		}
	default:
		c.t.Errorf("%s: docs/json.md has a type that there is not: %q", where, kind)
		return
	}
	c.t.Errorf("%s is %T, and docs/json.md says %s", where, value, kind)
}

// jsonStep is a command with --json, and the heading of docs/json.md that it comes under. Without a heading it only prepares.
type jsonStep struct {
	heading string
	stdin   string
	line    string
	code    int
}

// jsonSteps run one behind the other. Together they print every field.
var jsonSteps = []jsonStep{
	{"init", "", "init", exitOK},
	{"version", "", "version", exitOK},
	{"encrypt", `{"A_PASSWORD":"hunter2-a","B_TOKEN":"hunter2-b"}`, "encrypt", exitOK},
	{"encrypt", `{"A_PASSWORD":"hunter2-a","C":"hunter2-c"}`, "encrypt --force", exitOK},
	{"add", "hunter2-d", "add --name D", exitOK},
	{"apply", `{"E":"hunter2-e"}`, "apply --dry-run -", exitOK},
	{"apply", `{"E":"hunter2-e","D":"hunter2-d2","C":null,"A_PASSWORD":"hunter2-a"}`, "apply -", exitOK},
	{"list", "", "list", exitOK},
	{"list", "", "decrypt", exitOK},
	{"list --long", "", "list --long", exitOK},
	{"list --older-than", "", "list --older-than 0s", exitOK},
	{"rename", "", "rename D DD", exitOK},
	{"copy", "", "copy DD A_PASSWORD --force", exitOK},
	{"history NAME", "", "history DD", exitOK},
	{"history NAME", "", "history C", exitOK},
	{"history", "", "history", exitOK},
	{"rollback", "", "rollback A_PASSWORD", exitOK},
	{"rollback", "", "rollback --all --to 2001-01-01T00:00:00Z --dry-run", exitOK},
	{"diff", "", "diff --at 0s --scope acme", exitOK},
	{"diff", "", "diff --revision 1 --exit-code", exitConflict},
	{"rm", "", "rm E", exitOK},
	{"undelete", "", "undelete E", exitOK},
	{"destroy", "", "destroy A_PASSWORD --version 1", exitOK},
	{"history --keep", "", "history --keep 7", exitOK},
	{"history --max-bytes", "", "history --max-bytes 2MiB", exitOK},
	{"store types", "", "store types", exitOK},
	{"store add", `{"region":"eu-west-1","accessKeyId":"hunter2-i","secretAccessKey":"hunter2-k","sessionToken":"hunter2-s","roleArn":"arn:aws:iam::1:role/r","description":"d"}`, "store add aws-sm prod", exitOK},
	{"store add", `{"region":"eu-west-1","profile":"p"}`, "store add aws-sm sso", exitOK},
	{"store add", `{"vaultUrl":"https://v","tenantId":"t","clientId":"c","clientSecret":"hunter2-c"}`, "store add azure-kv corp", exitOK},
	{"store add", `{"projectId":"p","serviceAccountJson":"{\"k\":\"hunter2\"}"}`, "store add gcp-sm gcp", exitOK},
	{"store add", `{"vaultUrl":"https://v","token":"hunter2-t","namespace":"n","kv":"1","mount":"m"}`, "store add vault hc", exitOK},
	{"store add", `{"vaultUrl":"https://v","tokenFile":"/t"}`, "store add vault file", exitOK},
	{"store add", `{"vaultUrl":"https://v","auth":"approle","roleId":"r","secretId":"hunter2-s","authMount":"m"}`, "store add vault role", exitOK},
	{"store add", `{"vaultUrl":"https://v","auth":"kubernetes","role":"r"}`, "store add vault pod", exitOK},
	{"store edit", `{"region":"eu-west-2"}`, "store edit prod", exitOK},
	{"link", "", "link LINKED akv://corp/x", exitOK},
	{"list --refs", "", "list --refs", exitOK},
	{"store list", "", "store list", exitOK},
	{"unlink", "", "unlink LINKED", exitOK},
	{"store show", "", "store show prod", exitOK},
	{"store show", "", "store show sso", exitOK},
	{"store show", "", "store show corp", exitOK},
	{"store show", "", "store show gcp", exitOK},
	{"store show", "", "store show hc", exitOK},
	{"store show", "", "store show file", exitOK},
	{"store show", "", "store show role", exitOK},
	{"store show", "", "store show pod", exitOK},
	{"store rm", "", "store rm pod", exitOK},
	{"drop-key", "", "drop-key", exitOK},
	{"drop-key", "", "drop-key --show", exitOK},
	{"seal", "hunter2-f", "seal --to secrets.vault.drop.pub --name F", exitOK},
	{"seal", "hunter2-f", "seal --to secrets.vault.drop.pub --name F --out f.drop", exitOK},
	{"collect", "", "collect f.drop --dry-run", exitOK},
	{"collect", "", "collect f.drop", exitOK},
	{"export --out", "", "export --format json --out all.json", exitOK},
	{"render", "", "render --dir out --allow-disk", exitOK},
	{"render", "", "render --template t --output t.out --allow-disk", exitOK},
	{"migrate-env", "", "migrate-env --env-file env --all", exitUsage},
	{"migrate-env", "", "migrate-env --env-file env --dry-run", exitOK},
	{"migrate-env", "", "migrate-env --env-file env --keep --include *PASSWORD", exitOK},
	{"verify", "", "verify secrets.vault env nowhere --require ABSENT --against secrets.vault", exitCannotOpen},
	{"scan", "", "scan t.out", exitConflict},
	{"rotate-key", "", "rotate-key --in-place", exitOK},
	{"inspect", "", "inspect", exitOK},
	{"inspect", "", "inspect --key-file none.key", exitOK},
	{"doctor", "", "doctor", exitOK},
	{"backup", "", "backup --to backups --keep 1", exitOK},
	{"backup", "", "backup --to backups --keep 1 --with-key-to keys", exitOK},
	{"restore", "", "restore secrets.vault.bak --key-file vault.key --key-file vault.key.old", exitOK},
	{"forget", "", "forget", exitOK},
}

// printsNoJSONOfItsOwn are the commands that have no table, and why.
var printsNoJSONOfItsOwn = map[string]string{
	"decrypt": "names as list, or the secrets themselves",
	"get":     "the secret itself",
	"git":     "what git reads",
	"exec":    "what its command prints",
	"edit":    "needs an editor; edit.txtar runs it",
	"redact":  "what it is given, without values",
	"export":  "a form that was asked for; see export --out",
	"store":   "its commands have",
}

// gitSteps are the last: they make a repository of the folder. Without git there are none.
func gitSteps(f *folder) []jsonStep {
	init := exec.Command("git", "init", "-q")
	init.Dir = f.dir
	if init.Run() != nil {
		return nil
	}
	return []jsonStep{{"git-setup", "", "git-setup --pre-commit", exitOK}, {"git-setup", "", "git-setup --remove", exitOK}}
}

func TestJSONIsAsDocumented(t *testing.T) {
	t.Parallel()
	f := newFolder(t, true)
	f.write("t", "{{secret \"E\"}}\n", 0o600)
	f.write("env", "A_PASSWORD=hunter2-other\nNEW_PASSWORD=hunter2-new\nNEW_PASSWORD=hunter2-newer\nLONELY_TOKEN\nX=AKIAIOSFODNN7EXAMPLE\nPATH=/x\nnothing at all\n", 0o600)
	for _, name := range []string{"backups", "keys"} {
		if err := os.Mkdir(f.path(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	check := &jsonCheck{t: t, tables: jsonTables(t), seen: make(map[string]bool)}
	for _, step := range slices.Concat(jsonSteps, gitSteps(f)) {
		r := f.run(step.stdin, append(strings.Fields(step.line), "--json")...)
		if r.code != step.code && step.heading != "doctor" { // whose depends on the host of the tests
			t.Errorf("vault-tool %s: exit %d: %s", step.line, r.code, r.stderr)
		}
		if strings.Contains(r.stdout, "hunter2") {
			t.Errorf("vault-tool %s prints a value", step.line)
		}
		for line := range strings.Lines(r.stdout) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Errorf("vault-tool %s prints no object: %q", step.line, line)
				continue
			}
			check.object(step.heading, "vault-tool "+step.line, object)
		}
	}
	for _, c := range commands {
		if check.tables[c.name] == nil && printsNoJSONOfItsOwn[c.name] == "" {
			t.Errorf("docs/json.md has no table for %s", c.name)
		}
	}
	unseen := []string{"rotate-key akv_secret", "inspect target", "scan object", "scan path"} // the tests of Azure, inspect.txtar and scan_git.txtar have these
	for heading, table := range check.tables {
		for name := range table {
			if key := heading + " " + name; !check.seen[key] && heading != "edit" && heading != "git-setup" && !slices.Contains(unseen, key) {
				t.Errorf("no command printed %s", key)
			}
		}
	}
}
