package export

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	composedotenv "github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/joho/godotenv"
	"go.yaml.in/yaml/v3"
)

// awkward are values that some reader takes otherwise than they stand.
var awkward = []string{
	"", "plain", "two words", " blank ", "tab\t", "it's", `say "hi"`, `it's "both"`, `back\slash`, `ends with \`, "$HOME", "${HOME}", "$(id)", "`id`",
	"a#b", "a #b", "# b", "line\nline", "line\n", "\n", "cr\rcr", "crlf\r\nline", "cr at the end\r", "%41", "%", "!bang", "ß€😀", "\u2028", "\x01\x1b[31m",
	"=", "a=b", "'", "''", `"`, `\'`, `\"`, `\\`, `\n`, "::add-mask::x", "<<EOF", "~", "*", "null", "true", "1e3", "- x", "{x: y}", "with\x00nul",
	strings.Repeat("long ", 20_000), "-----BEGIN KEY-----\nAbc+/=\n-----END KEY-----\n", `a\$b`, "$", "$$", "a'b$c", "`tick", "\\\n", "x\\\ny",
}

// corpus are secrets that a form can carry, among them random ones.
func corpus(t *testing.T, f Format) []Secret {
	t.Helper()
	values := slices.Clone(awkward)
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("ab '\"\\$`#\n\r=!%~*{}()<>|&;ß😀\t")
	for range 300 {
		var v strings.Builder
		for range random.IntN(12) {
			v.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		values = append(values, v.String())
	}
	var secrets []Secret
	for i, v := range values {
		s := Secret{fmt.Sprintf("V%04d", i), []byte(v)}
		if f.Problem(s.Name, s.Value) == "" {
			secrets = append(secrets, s)
		}
	}
	if len(secrets) < 100 {
		t.Fatalf("%s carries %d of %d values", f.Name, len(secrets), len(values))
	}
	return secrets
}

func lookup(t *testing.T, name string) Format {
	t.Helper()
	f, ok := Lookup(name)
	if !ok {
		t.Fatal(name)
	}
	return f
}

// written is the text of secrets, which fills its memory exactly.
func written(t *testing.T, f Format, secrets []Secret, o Options) []byte {
	t.Helper()
	text := f.Text(secrets, o)
	room := make([]byte, 0, text.Len())
	got := text.Append(room)
	if len(got) != text.Len() || cap(got) != cap(room) {
		t.Fatalf("%s: wrote %d bytes, Len is %d", f.Name, len(got), text.Len())
	}
	return got
}

func wantRead(t *testing.T, reader string, secrets []Secret, got map[string]string) {
	t.Helper()
	for _, s := range secrets {
		if value, ok := got[s.Name]; !ok || value != string(s.Value) {
			t.Errorf("%s reads %.60q as %.60q, %v", reader, s.Value, value, ok)
		}
	}
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exported")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDotenv(t *testing.T) {
	f := lookup(t, "dotenv")
	secrets := corpus(t, f)
	text := written(t, f, secrets, Options{})
	got, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		t.Fatal(err)
	}
	wantRead(t, "godotenv", secrets, got)
	if got, err = composedotenv.UnmarshalBytesWithLookup(text, nil); err != nil {
		t.Fatal(err)
	}
	wantRead(t, "compose-go", secrets, got)
}

// TestDotenvNode reads the lines with npm's dotenv, which NODE_PATH leads to.
func TestDotenvNode(t *testing.T) {
	if exec.Command("node", "-e", "require('dotenv')").Run() != nil {
		t.Skip("node with the package dotenv is not installed (NODE_PATH)")
	}
	f := lookup(t, "dotenv")
	secrets := corpus(t, f)
	path := writeFile(t, written(t, f, secrets, Options{}))
	out, err := exec.Command("node", "-e", "console.log(JSON.stringify(require('dotenv').parse(require('fs').readFileSync(process.argv[1]))))", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	wantRead(t, "npm's dotenv", secrets, got)
}

func TestJSON(t *testing.T) {
	f := lookup(t, "json")
	secrets := append(corpus(t, f), Secret{"acme/X", []byte("scoped")})
	got := make(map[string]string)
	if err := json.Unmarshal(written(t, f, secrets, Options{}), &got); err != nil {
		t.Fatal(err)
	}
	wantRead(t, "encoding/json", secrets, got)
	if text := written(t, f, nil, Options{}); string(text) != "{}\n" {
		t.Errorf("%q", text)
	}
}

func TestShell(t *testing.T) {
	f := lookup(t, "sh")
	secrets := corpus(t, f)
	path := writeFile(t, written(t, f, secrets, Options{}))
	for _, shell := range []string{"sh", "bash", "dash", "zsh", "ksh"} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		// The child's environment, so that "export" is tried too. A large one is left to the shell itself.
		cmd := exec.Command(shell, "-c", `. "$1" && exec env -0`, shell, path)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", shell, err)
		}
		wantRead(t, shell, secrets, environment(out))
	}
}

func environment(zeroSeparated []byte) map[string]string {
	got := make(map[string]string)
	for entry := range bytes.SplitSeq(zeroSeparated, []byte{0}) {
		name, value, _ := strings.Cut(string(entry), "=")
		got[name] = value
	}
	return got
}

// TestDocker reads as the docker command does (cli/opts, parseKeyValueFile).
func TestDocker(t *testing.T) {
	f := lookup(t, "docker-env")
	secrets := corpus(t, f)
	got := make(map[string]string)
	for line := range bytes.SplitSeq(written(t, f, secrets, Options{}), []byte{'\n'}) {
		text := strings.TrimLeft(strings.TrimSuffix(string(line), "\r"), " \t")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		got[name] = value
	}
	wantRead(t, "docker", secrets, got)
	if f.Problem("A", []byte(strings.Repeat("x", dockerLineBytes-4))) != "" || f.Problem("A", []byte(strings.Repeat("x", dockerLineBytes-3))) == "" {
		t.Error("the length of a line is judged wrong")
	}
}

// TestSystemd reads as systemd.exec(5) says of EnvironmentFile=: within double quotes a backslash keeps what follows it, if that is one of
// the four special characters; a newline after a backslash continues the line.
func TestSystemd(t *testing.T) {
	f := lookup(t, "systemd")
	secrets := corpus(t, f)
	got := make(map[string]string)
	rest := string(written(t, f, secrets, Options{}))
	for rest != "" {
		name, quoted, _ := strings.Cut(rest, `="`)
		var value strings.Builder
		i := 0
		for ; quoted[i] != '"'; i++ {
			c := quoted[i]
			if c == '\\' {
				i++
				if strings.IndexByte("\"\\`$", quoted[i]) < 0 {
					if quoted[i] == '\n' {
						continue
					}
					value.WriteByte('\\')
				}
				c = quoted[i]
			}
			value.WriteByte(c)
		}
		if quoted[i+1] != '\n' {
			t.Fatalf("%s: something stands behind the quotes", name)
		}
		got[name], rest = value.String(), quoted[i+2:]
	}
	wantRead(t, "systemd", secrets, got)
}

func TestKubernetes(t *testing.T) {
	f := lookup(t, "k8s-secret")
	secrets := corpus(t, f)
	for _, name := range []string{"true", "1e3", "null", "0x1", "NO", "a.b-c", "~"} {
		if f.Problem(name, nil) == "" {
			secrets = append(secrets, Secret{name, []byte("x")})
		}
	}
	var got struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Type       string
		Metadata   map[string]string
		Data       map[string]string
	}
	if err := yaml.Unmarshal(written(t, f, secrets, Options{SecretName: "123"}), &got); err != nil {
		t.Fatal(err)
	}
	if got.APIVersion != "v1" || got.Kind != "Secret" || got.Type != "Opaque" || got.Metadata["name"] != "123" || len(got.Data) != len(secrets) {
		t.Errorf("%s %s %s %v, %d keys", got.APIVersion, got.Kind, got.Type, got.Metadata, len(got.Data))
	}
	decoded := make(map[string]string)
	for name, text := range got.Data {
		value, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Error(err)
		}
		decoded[name] = string(value)
	}
	wantRead(t, "a YAML parser", secrets, decoded)
	if f.Problem("acme/X", nil) == "" {
		t.Error("a name with a slash is taken")
	}
}

// TestGitHub reads as the runner does: commands from the output, and name<<mark blocks from the file.
func TestGitHub(t *testing.T) {
	f := lookup(t, "github-env")
	secrets := corpus(t, f)
	lines := strings.Split(string(written(t, f, secrets, Options{Lines: true})), "\n")
	got := make(map[string]string)
	for i := 0; i < len(lines)-1; i++ {
		name, mark, ok := strings.Cut(lines[i], "<<")
		if !ok || len(mark) < 20 {
			t.Fatalf("line %q", lines[i])
		}
		end := i + 1 + slices.Index(lines[i+1:], mark)
		got[name], i = strings.Join(lines[i+1:end], "\n"), end
	}
	wantRead(t, "GitHub", secrets, got)

	masked := make(map[string]bool)
	for line := range strings.SplitSeq(strings.TrimSuffix(string(written(t, f, secrets, Options{Masks: true})), "\n"), "\n") {
		data, ok := strings.CutPrefix(line, "::add-mask::")
		if !ok || data == "" {
			t.Fatalf("%q is no command", line)
		}
		masked[strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n").Replace(data)] = true
	}
	for _, s := range secrets {
		for line := range strings.SplitSeq(string(s.Value), "\n") {
			if line = strings.TrimSuffix(line, "\r"); line != "" && !masked[line] {
				t.Errorf("%q is not hidden", line)
			}
		}
	}
	both := written(t, f, secrets[:1], Options{Masks: true, Lines: true})
	if len(secrets[1].Value) == 0 || bytes.Contains(both, []byte("::add-mask::")) && !bytes.HasPrefix(both, []byte("::add-mask::")) {
		t.Errorf("%q", both)
	}
	for _, name := range []string{"GITHUB_TOKEN", "RUNNER_TEMP", "a.b"} {
		if f.Problem(name, nil) == "" {
			t.Errorf("%s is taken", name)
		}
	}
}
